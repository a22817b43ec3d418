package org.diffusionrpo.kernels.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.NativePointerObject;
import jcuda.Pointer;

/**
 * The parameters of one kernel, read from its source. The driver takes arguments as bare addresses and checks neither
 * their number nor their widths; so every launch is checked here.
 */
record KernelSignature(String name, List<Kind> parameters) {
  private static final Pattern DECLARATION = Pattern.compile(
      "__global__\\s+void(?:\\s+__launch_bounds__\\s*\\([^)]*\\))?\\s+(\\w+)\\s*\\(([^)]*)\\)");

  /** What a parameter takes. */
  enum Kind { POINTER, INT, LONG, FLOAT, DOUBLE }

  /** All kernels of a source, by name. */
  static Map<String, KernelSignature> parse(String source) {
    Map<String, KernelSignature> signatures = new HashMap<>();
    Matcher matcher = DECLARATION.matcher(source);
    while (matcher.find()) {
      List<Kind> kinds = new ArrayList<>();
      for (String parameter : matcher.group(2).split(",")) {
        kinds.add(kind(parameter.strip(), matcher.group(1)));
      }
      signatures.put(matcher.group(1), new KernelSignature(matcher.group(1), List.copyOf(kinds)));
    }
    return signatures;
  }

  private static Kind kind(String parameter, String kernel) {
    if (parameter.contains("*")) {
      return Kind.POINTER;
    }
    String type = parameter.replaceAll("\\bconst\\b", "").strip().replaceAll("\\s*\\w+$", "").strip();
    return switch (type) {
      case "int", "unsigned", "unsigned int" -> Kind.INT;
      case "long long", "unsigned long long" -> Kind.LONG;
      case "float" -> Kind.FLOAT;
      case "double" -> Kind.DOUBLE;
      default -> throw new IllegalArgumentException("kernel " + kernel + ": parameter '" + parameter
          + "' is none of pointer, int, long long, float and double");
    };
  }

  /** The addresses of the arguments, as the driver wants them. */
  Pointer pack(Object... arguments) {
    if (arguments.length != parameters.size()) {
      throw new IllegalArgumentException("kernel " + name + " takes " + parameters.size() + " arguments, not "
          + arguments.length);
    }
    NativePointerObject[] addresses = new NativePointerObject[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      addresses[i] = address(arguments[i], i);
    }
    return Pointer.to(addresses);
  }

  private Pointer address(Object argument, int i) {
    Kind kind = parameters.get(i);
    if (argument == null && kind == Kind.POINTER) {
      return Pointer.to(new long[] {0});
    } else if (argument instanceof DeviceBuffer buffer && kind == Kind.POINTER) {
      return Pointer.to(buffer.pointer());
    } else if (argument instanceof Integer value && kind == Kind.INT) {
      return Pointer.to(new int[] {value});
    } else if (argument instanceof Long value && kind == Kind.LONG) {
      return Pointer.to(new long[] {value});
    } else if (argument instanceof Float value && kind == Kind.FLOAT) {
      return Pointer.to(new float[] {value});
    } else if (argument instanceof Double value && kind == Kind.DOUBLE) {
      return Pointer.to(new double[] {value});
    }
    throw new IllegalArgumentException("kernel " + name + ": argument " + i + " must be " + kind + ", not " + argument);
  }
}
