package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSource;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/** A checkpoint made by {@link GoldenFill}: tensors in byte order of their names, numbered through. */
public final class GoldenWeights implements TensorSource {
  private final Map<String, TensorInfo> infos = new TreeMap<>();
  private final Map<String, Integer> starts = new LinkedHashMap<>();

  private GoldenWeights(Parameters parameters) {
    parameters.all().forEach(p -> infos.put(p.name(), CheckpointMapping.info(p, DType.F32)));
    int g = 0;
    for (TensorInfo info : infos.values()) {
      starts.put(info.name(), g);
      g += info.name().equals("logit_scale") ? 0 : (int) info.elements();
    }
  }

  /** Fills a model through the ordinary loader. */
  public static void load(Parameters parameters, Backend backend) throws IOException {
    load(parameters, backend, Storage.F32);
  }

  /** The same with matrices that are rounded to {@code storage}. */
  public static void load(Parameters parameters, Backend backend, Storage storage) throws IOException {
    try (GoldenWeights source = new GoldenWeights(parameters)) {
      WeightFiles.load(parameters, source, Naming.DIFFUSERS, "golden weights", backend, storage);
    }
  }

  /** A parameter's gradient in the layout of files. */
  public static float[] gradient(Parameters parameters, String name) {
    Parameter parameter = parameters.get(name);
    return CheckpointMapping.toFile(parameter.shape(), parameter.grad().toArray());
  }

  @Override
  public Set<String> names() {
    return infos.keySet();
  }

  @Override
  public TensorInfo info(String name) {
    return infos.get(name);
  }

  @Override
  public float[] readFloats(String name) {
    return GoldenFill.weights(name, infos.get(name).dims(), starts.get(name));
  }

  @Override
  public void readFloats(String name, long first, float[] values, int count) {
    System.arraycopy(readFloats(name), (int) first, values, 0, count);
  }

  @Override
  public short[] readHalves(String name) throws IOException {
    throw new IOException(name + " is F32");
  }

  @Override
  public long[] readLongs(String name) throws IOException {
    throw new IOException(name + " is F32");
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of();
  }

  @Override
  public void close() {}
}
