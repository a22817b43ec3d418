package org.diffusionrpo.diffusion.lora;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.lora.LoraKey.Part;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSource;

/**
 * A LoRA file as it is, its tensors grouped by module, whatever the spelling ({@link LoraKey}). What a module's name
 * stands for only a model tells: {@link LoraReader}. Every fault is an {@link IOException} that names the file.
 */
public final class LoraFile implements Closeable {
  /** What diffusers calls it in a folder. */
  public static final String DIFFUSERS_NAME = "pytorch_lora_weights.safetensors";
  private static final String PEFT_NAME = "adapter_model.safetensors";

  private final Path path;
  private final TensorSource source;
  private final LoraMetadata metadata;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  /** The tensors of one module. */
  public static final class Entry {
    private final String name;
    private final Map<Part, TensorInfo> parts = new EnumMap<>(Part.class);

    private Entry(String name) {
      this.name = name;
    }

    /** The module as the file calls it. */
    public String name() {
      return name;
    }

    /** A, [r, ...]. */
    public TensorInfo down() {
      return parts.get(Part.DOWN);
    }

    /** B, [out, r, ...]. */
    public TensorInfo up() {
      return parts.get(Part.UP);
    }

    public int rank() {
      return down().dims()[0];
    }
  }

  private LoraFile(Path path, TensorSource source) throws IOException {
    this.path = path;
    this.source = source;
    this.metadata = LoraMetadata.read(path, source.metadata());
    List<String> strange = new ArrayList<>();
    for (String name : source.names()) {
      String relative = LoraKey.relative(name);
      if (relative != null) {
        throw new IOException(path + ": holds " + name + ", which belongs to " + relative
            + "; only plain LoRA (up x down) is supported");
      }
      LoraKey key = LoraKey.parse(name);
      if (key == null || entries.computeIfAbsent(key.module(), Entry::new).parts
          .putIfAbsent(key.part(), source.info(name)) != null) {
        strange.add(name);
      }
    }
    if (!strange.isEmpty()) {
      throw new IOException(path + ": is no LoRA, or one of an unknown kind: " + LoraReader.summary(strange));
    }
    if (entries.isEmpty()) {
      throw new IOException(path + ": holds no tensors");
    }
    for (Entry entry : entries.values()) {
      checkPair(entry);
    }
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
    TensorInfo alpha = entry.parts.get(Part.ALPHA);
    if (alpha == null) {
      return metadata.alpha(component, module, entry.rank());
    }
    float[] values = source.readFloats(alpha.name());
    if (values.length != 1 || !Float.isFinite(values[0])) {
      throw new IOException(path + ": " + alpha + " is not one finite number");
    }
    return values[0];
  }

  float[] read(TensorInfo tensor) throws IOException {
    return source.readFloats(tensor.name());
  }

  private void checkPair(Entry entry) throws IOException {
    TensorInfo down = entry.down();
    TensorInfo up = entry.up();
    if (down == null || up == null) {
      throw new IOException(path + ": has " + entry.parts.values().iterator().next() + " without its "
          + (down == null ? "down" : "up") + " part");
    }
    if (!isMatrix(down) || !isMatrix(up) || !up.shape().get(1).equals(down.shape().get(0))) {
      throw new IOException(path + ": " + down + " and " + up + " are no pair: expected [rank, in] and [out, rank]");
    }
  }

  /** Of two axes, or of four for a convolution. */
  private static boolean isMatrix(TensorInfo info) {
    return (info.shape().size() == 2 || info.shape().size() == 4) && info.elements() > 0;
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}
