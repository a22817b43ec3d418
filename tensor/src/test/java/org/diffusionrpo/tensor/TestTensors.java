package org.diffusionrpo.tensor;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/** Tensors with the same random numbers on every backend. */
public final class TestTensors {
  private static final Map<Draw, float[]> DRAWN = new ConcurrentHashMap<>();

  private TestTensors() {}

  /** Standard normal values, named by the seed. */
  public static Tensor gaussian(Backend backend, long seed, int... dims) {
    return gaussian(backend, seed, Storage.F32, dims);
  }

  /** The same, rounded to {@code storage}. */
  public static Tensor gaussian(Backend backend, long seed, Storage storage, int... dims) {
    Shape shape = Shape.of(dims);
    return backend.of(shape, cached(seed, shape.size()), storage);
  }

  public static float[] gaussianValues(long seed, int length) {
    return cached(seed, length).clone();
  }

  /** Tests ask for the same numbers thousands of times, and drawing them takes longer than most operations. */
  private static float[] cached(long seed, int length) {
    return DRAWN.computeIfAbsent(new Draw(seed, length), draw -> {
      float[] values = new float[length];
      Philox.stream(seed, "test", 0).fillGaussian(values);
      return values;
    });
  }

  private record Draw(long seed, int length) {}

  /** Makes all parameters trainable, with starting values off the ones and zeros that hide mistakes. */
  public static void randomize(Parameters parameters, Backend backend, long seed) {
    parameters.initialize(backend, seed);
    long number = 1000 * seed;
    for (Parameter parameter : parameters.all()) {
      float[] values = parameter.value().toArray();
      float[] noise = gaussianValues(number++, values.length);
      for (int i = 0; i < values.length; i++) {
        values[i] += 0.3f * noise[i];
      }
      parameter.set(backend, values, Storage.F32);
    }
    parameters.unfreeze();
  }

  /** The elements in double, unrounded where the backend has doubles. */
  public static double[] doubles(Tensor x) {
    return x.backend() instanceof ReferenceBackend reference ? reference.toDoubles(x) : Tolerances.widen(x.toArray());
  }
}
