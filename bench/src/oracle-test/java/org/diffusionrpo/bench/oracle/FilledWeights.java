package org.diffusionrpo.bench.oracle;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSource;

/**
 * A checkpoint with the names and shapes of a published one and values by the {@link FillRule}, which are made when
 * they are read: both sides get the same weights and no file is needed. The rule counts modulo 2^32 values.
 */
final class FilledWeights implements TensorSource {
  private final Map<String, TensorInfo> infos = new TreeMap<>();
  private final Map<String, Integer> starts = new HashMap<>();
  /** The tensor that is being read in pieces. */
  private String filledName = "";
  private float[] filled;

  /** @param manifest a list of the module diffusion's tests, for example {@code unet-sd15} */
  FilledWeights(String manifest) throws IOException {
    String resource = "/manifest/" + manifest + ".tsv.gz";
    InputStream stored = Objects.requireNonNull(FilledWeights.class.getResourceAsStream(resource), resource);
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(new GZIPInputStream(stored), StandardCharsets.UTF_8))) {
      for (String line : lines.lines().toList()) {
        String[] columns = line.split("\t");
        int[] shape = Arrays.stream(columns[1].split("x")).mapToInt(Integer::parseInt).toArray();
        infos.put(columns[0], TensorInfo.of(columns[0], DType.F32, shape));
      }
    }
    int start = 0;
    for (TensorInfo info : infos.values()) {
      starts.put(info.name(), start);
      start += (int) info.elements();
    }
  }

  @Override
  public Set<String> names() {
    return infos.keySet();
  }

  @Override
  public TensorInfo info(String name) {
    TensorInfo info = infos.get(name);
    if (info == null) {
      throw new IllegalArgumentException("the published checkpoint has no tensor " + name);
    }
    return info;
  }

  @Override
  public float[] readFloats(String name) {
    return FillRule.weight(name, Arrays.stream(info(name).dims()).asLongStream().toArray(), starts.get(name));
  }

  @Override
  public void readFloats(String name, long first, float[] values, int count) {
    if (!filledName.equals(name)) {
      filled = readFloats(name);
      filledName = name;
    }
    System.arraycopy(filled, (int) first, values, 0, count);
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
