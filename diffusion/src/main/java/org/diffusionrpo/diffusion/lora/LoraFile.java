package org.diffusionrpo.diffusion.lora;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSource;

/**
 * A LoRA file as it is, its tensors grouped by module, whatever the spelling: PEFT, diffusers old and new, attention
 * processors, kohya. What a module's name stands for only a model tells: {@link LoraReader}. A folder stands for the
 * file in it. Every fault is an {@link IOException} that names the file.
 */
public final class LoraFile implements Closeable {
  /** What files are called in folders of diffusers and of PEFT. */
  public static final String DIFFUSERS_NAME = "pytorch_lora_weights.safetensors";
  private static final String PEFT_NAME = "adapter_model.safetensors";

  /** Parts of names of relatives that are not {@code up x down}, and what they are. */
  private static final Map<String, String> RELATIVES = Map.of("dora_scale", "DoRA", "lora_magnitude_vector", "DoRA",
      "hada_w", "LoHa", "lokr_", "LoKr", "oft_", "OFT", "lora_mid", "a CP decomposition of LoCon");

  private static final String PART = "\\.(down\\.weight|up\\.weight|alpha)";
  private static final Pattern PROCESSOR = Pattern.compile("(.+)\\.processor\\.to_(q|k|v|out)_lora" + PART);
  private static final Pattern TEXT_PROCESSOR = Pattern.compile("(.+\\.self_attn)\\.to_(q|k|v|out)_lora" + PART);
  private static final Pattern DOWN = Pattern.compile(
      "(.+)\\.(?:lora_A|lora_A\\.default|lora\\.down|lora_linear_layer\\.down|lora_down)\\.weight");
  private static final Pattern UP = Pattern.compile(
      "(.+)\\.(?:lora_B|lora_B\\.default|lora\\.up|lora_linear_layer\\.up|lora_up)\\.weight");
  private static final Pattern ALPHA = Pattern.compile("(.+?)(?:\\.lora|\\.lora_linear_layer)?\\.alpha");
  private static final String PEFT_PREFIX = "base_model.model.";

  private final Path path;
  private final TensorSource source;
  private final LoraMetadata metadata;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  /** The tensors of one module; null where there is none. */
  public static final class Entry {
    private final String name;
    private TensorInfo down;
    private TensorInfo up;
    private TensorInfo alpha;

    private Entry(String name) {
      this.name = name;
    }

    /** The module as the file calls it. */
    public String name() {
      return name;
    }

    public TensorInfo down() {
      return down;
    }

    public TensorInfo up() {
      return up;
    }

    public TensorInfo alpha() {
      return alpha;
    }

    public int rank() {
      return down.dims()[0];
    }
  }

  private LoraFile(Path path, TensorSource source) throws IOException {
    this.path = path;
    this.source = source;
    this.metadata = LoraMetadata.read(path, source.metadata());
    List<String> strange = new ArrayList<>();
    for (String name : source.names()) {
      refuseRelatives(name);
      if (!sort(source.info(name))) {
        strange.add(name);
      }
    }
    if (!strange.isEmpty()) {
      throw new IOException(path + ": is no LoRA, or one of an unknown kind: " + LoraReader.summary(strange));
    }
    if (entries.isEmpty()) {
      throw new IOException(path + ": holds no tensors");
    }
    checkPairs();
  }

  /** Opens a file, or the one in a folder of diffusers or PEFT, and reads its header. */
  public static LoraFile open(Path path) throws IOException {
    Path file = path;
    if (Files.isDirectory(path)) {
      file = path.resolve(Files.exists(path.resolve(PEFT_NAME)) ? PEFT_NAME : DIFFUSERS_NAME);
    }
    TensorSource source = TensorSource.open(file);
    try {
      return new LoraFile(file, source);
    } catch (IOException | RuntimeException e) {
      source.close();
      throw e;
    }
  }

  public Path path() {
    return path;
  }

  public Collection<Entry> entries() {
    return entries.values();
  }

  /** alpha of a module: its tensor, else what the metadata say, else the rank. */
  public double alpha(Entry entry, String component, String module) throws IOException {
    if (entry.alpha == null) {
      return metadata.alpha(component, module, entry.rank());
    }
    float[] values = source.readFloats(entry.alpha.name());
    if (values.length != 1 || !Float.isFinite(values[0])) {
      throw new IOException(path + ": " + entry.alpha + " is not one finite number");
    }
    return values[0];
  }

  float[] read(TensorInfo tensor) throws IOException {
    return source.readFloats(tensor.name());
  }

  private void refuseRelatives(String name) throws IOException {
    for (Map.Entry<String, String> relative : RELATIVES.entrySet()) {
      if (name.contains(relative.getKey())) {
        throw new IOException(path + ": holds " + name + ", which belongs to " + relative.getValue()
            + "; only plain LoRA (up x down) is supported");
      }
    }
  }

  /** Puts a tensor to its module; false if its name is none of a LoRA's. */
  private boolean sort(TensorInfo tensor) {
    String name = tensor.name().startsWith(PEFT_PREFIX) ? tensor.name().substring(PEFT_PREFIX.length()) : tensor.name();
    Matcher matcher = PROCESSOR.matcher(name);
    if (matcher.matches()) {
      String projection = matcher.group(2).equals("out") ? ".to_out.0" : ".to_" + matcher.group(2);
      return put(matcher.group(1) + projection, matcher.group(3), tensor);
    }
    matcher = TEXT_PROCESSOR.matcher(name);
    if (matcher.matches()) {
      return put(matcher.group(1) + "." + matcher.group(2) + "_proj", matcher.group(3), tensor);
    }
    for (Map.Entry<String, Pattern> part : Map.of("down", DOWN, "up", UP, "alpha", ALPHA).entrySet()) {
      matcher = part.getValue().matcher(name);
      if (matcher.matches()) {
        return put(matcher.group(1), part.getKey(), tensor);
      }
    }
    return false;
  }

  private boolean put(String module, String part, TensorInfo tensor) {
    Entry entry = entries.computeIfAbsent(module, Entry::new);
    boolean free;
    if (part.startsWith("down")) {
      free = entry.down == null;
      entry.down = tensor;
    } else if (part.startsWith("up")) {
      free = entry.up == null;
      entry.up = tensor;
    } else {
      free = entry.alpha == null;
      entry.alpha = tensor;
    }
    return free;
  }

  private void checkPairs() throws IOException {
    for (Entry entry : entries.values()) {
      if (entry.down == null || entry.up == null) {
        TensorInfo there = entry.down != null ? entry.down : entry.up != null ? entry.up : entry.alpha;
        throw new IOException(path + ": has " + there + " without its " + (entry.down == null ? "down" : "up")
            + " part");
      }
      int downAxes = entry.down.shape().size();
      int upAxes = entry.up.shape().size();
      if (downAxes != 2 && downAxes != 4 || upAxes != 2 && upAxes != 4
          || entry.down.elements() == 0 || !entry.up.shape().get(1).equals(entry.down.shape().get(0))) {
        throw new IOException(path + ": " + entry.down + " and " + entry.up + " are no pair: expected [rank, in] and "
            + "[out, rank]");
      }
    }
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}
