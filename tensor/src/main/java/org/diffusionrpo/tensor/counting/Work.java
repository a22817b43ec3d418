package org.diffusionrpo.tensor.counting;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Arithmetic and memory traffic of operations that were not carried out. A multiplication and an addition are two
 * operations, and a product of matrices counts as {@code 2 M N K} however a kernel goes about it.
 */
public final class Work {
  private final Map<Kind, Map<List<Integer>, Double>> flops = new EnumMap<>(Kind.class);
  private double bytes;

  /** What runs at speeds of its own. The list is how {@link #bySize} describes an operation. */
  public enum Kind {
    /** Linear layers, and convolutions that are not of the next kind: rows, in, out. */
    LINEAR,
    /** Convolutions of 3 x 3 with stride 1, which may use Winograd's algorithm: N, H, W, in, out. */
    CONV3X3,
    /** Both products of attention: N, queries, keys, heads, head size. */
    ATTENTION
  }

  /** Nothing. */
  public Work() {
    for (Kind kind : Kind.values()) {
      flops.put(kind, new HashMap<>());
    }
  }

  void add(Kind kind, double operations, Integer... sizes) {
    flops.get(kind).merge(List.of(sizes), operations, Double::sum);
  }

  void addBytes(double moved) {
    bytes += moved;
  }

  /** Floating-point operations of one kind. */
  public double flops(Kind kind) {
    return flops.get(kind).values().stream().mapToDouble(Double::doubleValue).sum();
  }

  /** Floating-point operations of all kinds. */
  public double flops() {
    return flops.keySet().stream().mapToDouble(this::flops).sum();
  }

  /** Bytes that elementwise operations, norms and optimizers read and write. */
  public double bytes() {
    return bytes;
  }

  /** Floating-point operations of one kind by size, most first; empty if there are none. */
  public Map<List<Integer>, Double> bySize(Kind kind) {
    Map<List<Integer>, Double> sorted = new LinkedHashMap<>();
    flops.get(kind).entrySet().stream().sorted(Map.Entry.<List<Integer>, Double>comparingByValue().reversed())
        .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
    return sorted;
  }
}
