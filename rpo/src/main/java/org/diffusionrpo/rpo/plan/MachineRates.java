package org.diffusionrpo.rpo.plan;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.counting.Work;

/**
 * How fast this machine is, measured for a few seconds, for each kind of work at the sizes on which a run spends most.
 *
 * @param flops floating-point operations per second; of kinds that the work has none of there is no entry
 * @param bytes read and written per second
 */
public record MachineRates(Map<Work.Kind, Double> flops, double bytes) {
  /** A time that was not beaten by {@link #BEATEN} for so long is the best. */
  private static final long PATIENCE = 500_000_000L;
  /** Java compiles the kernels while they run, which makes them a hundred times faster. */
  private static final long MOST_PATIENCE = 8_000_000_000L;
  /** Passes that are made in any case: the first ones of a large operation take longer than the patience. */
  private static final int FEWEST_PASSES = 8;
  private static final double BEATEN = 0.95;
  /** Floats of the largest operand: fewer samples are measured than a run has, each as large. */
  private static final int MOST_FLOATS = 1 << 22;

  /** Forward and backward passes of each kind: small ones until they are compiled, then the best of several. */
  public static MachineRates measure(Backend backend, Work work) {
    Map<Work.Kind, Double> flops = new EnumMap<>(Work.Kind.class);
    try (MemoryScope scope = backend.scope()) {
      for (Work.Kind kind : Work.Kind.values()) {
        List<Integer> sizes = work.heaviest(kind);
        if (!sizes.isEmpty()) {
          flops(backend, kind, small(kind, sizes));
          flops.put(kind, flops(backend, kind, sizes));
        }
      }
      Tensor x = backend.zeros(Shape.of(MOST_FLOATS));
      Tensor y = backend.zeros(x.shape());
      return new MachineRates(flops, 3 * x.buffer().bytes() / best(() -> backend.addTo(y, x)));
    }
  }

  /** Seconds that this work takes on one run of this machine, all else idle. */
  public double seconds(Work work) {
    double seconds = work.bytes() / bytes;
    for (Map.Entry<Work.Kind, Double> rate : flops.entrySet()) {
      seconds += work.flops(rate.getKey()) / rate.getValue();
    }
    return seconds;
  }

  private static double flops(Backend backend, Work.Kind kind, List<Integer> sizes) {
    return switch (kind) {
      case LINEAR -> linear(backend, sizes);
      case CONV3X3 -> convolution(backend, sizes);
      case ATTENTION -> attention(backend, sizes);
    };
  }

  /** Sizes that take little time even before they are compiled. */
  private static List<Integer> small(Work.Kind kind, List<Integer> sizes) {
    int[] most = switch (kind) {
      case LINEAR -> new int[] {256, 256, 256};
      case CONV3X3 -> new int[] {1, 16, 16, 64, 64};
      case ATTENTION -> new int[] {1, 256, 256, 2, 160};
    };
    return IntStream.range(0, most.length).mapToObj(i -> Math.min(most[i], sizes.get(i))).toList();
  }

  private static double linear(Backend backend, List<Integer> sizes) {
    int in = sizes.get(1);
    int out = sizes.get(2);
    int rows = atMost(sizes.get(0), Math.max(in, out));
    Tensor x = backend.zeros(Shape.of(rows, in));
    Tensor y = backend.zeros(Shape.of(rows, out));
    Tensor weight = backend.zeros(Shape.of(out, in));
    return 6.0 * rows * in * out / best(() -> {
      backend.linearForward(y, x, weight, null);
      backend.linearBackwardData(x, y, weight);
      backend.linearBackwardWeight(weight, null, y, x);
    });
  }

  private static double convolution(Backend backend, List<Integer> sizes) {
    int height = sizes.get(1);
    int width = sizes.get(2);
    int in = sizes.get(3);
    int out = sizes.get(4);
    int samples = atMost(sizes.get(0), height * width * Math.max(in, out));
    Conv2dGeometry same = Conv2dGeometry.of(1, 1);
    Tensor x = backend.zeros(Shape.of(samples, height, width, in));
    Tensor y = backend.zeros(Shape.of(samples, height, width, out));
    Tensor weight = backend.zeros(Shape.of(out, 3, 3, in));
    return 6.0 * 9 * samples * height * width * in * out / best(() -> {
      backend.conv2dForward(y, x, weight, null, same);
      backend.conv2dBackwardData(x, y, weight, same);
      backend.conv2dBackwardWeight(weight, null, y, x, same);
    });
  }

  private static double attention(Backend backend, List<Integer> sizes) {
    int queries = sizes.get(1);
    int keys = sizes.get(2);
    int heads = sizes.get(3);
    int channels = heads * sizes.get(4);
    int samples = atMost(sizes.get(0), Math.max(queries, keys) * channels);
    Tensor q = backend.zeros(Shape.of(samples, queries, channels));
    Tensor out = backend.zeros(q.shape());
    Tensor k = backend.zeros(Shape.of(samples, keys, channels));
    Tensor v = backend.zeros(k.shape());
    Tensor lse = backend.zeros(Shape.of(samples, heads, queries));
    Tensor dq = backend.zeros(q.shape());
    Tensor dk = backend.zeros(k.shape());
    Tensor dv = backend.zeros(k.shape());
    return 14.0 * samples * queries * keys * channels / best(() -> {
      backend.attentionForward(out, lse, q, k, v, heads, false);
      backend.attentionBackward(dq, dk, dv, out, q, k, v, out, lse, heads, false);
    });
  }

  private static int atMost(int wanted, int floatsOfOne) {
    return Math.max(1, Math.min(wanted, MOST_FLOATS / floatsOfOne));
  }

  private static double best(Runnable pass) {
    long start = System.nanoTime();
    long beaten = start;
    long best = Long.MAX_VALUE;
    int passes = 0;
    for (long now = start; (passes < FEWEST_PASSES || now - beaten < PATIENCE) && now - start < MOST_PATIENCE; passes++) {
      pass.run();
      long end = System.nanoTime();
      if (end - now < BEATEN * best) {
        beaten = end;
      }
      best = Math.min(best, end - now);
      now = end;
    }
    return best * 1e-9;
  }
}
