package org.diffusionrpo.rpo.plan;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
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
 * @param flops floating-point operations per second by size; of kinds that the work has none of there is no entry
 * @param bytes read and written per second
 */
public record MachineRates(Map<Work.Kind, Map<List<Integer>, Double>> flops, double bytes) {
  /** A time that was not beaten by {@link #BEATEN} for so long is the best. */
  private static final long PATIENCE = 200_000_000L;
  /** The same for the first size of a kind: Java compiles the kernels meanwhile, which makes them much faster. */
  private static final long PATIENCE_AT_FIRST = 500_000_000L;
  private static final long MOST_PATIENCE = 8_000_000_000L;
  /** Passes that are made in any case: the first ones of a large operation take longer than the patience. */
  private static final int FEWEST_PASSES = 3;
  private static final double BEATEN = 0.95;
  /** Sizes are measured until these have so much of the operations of a kind, or there are so many. */
  private static final double COVERED = 0.8;
  private static final int MOST_SIZES = 8;
  /** Floats of the largest operand: fewer samples are measured than a run has, each as large. */
  private static final int MOST_FLOATS = 1 << 22;
  /** Tensors of that size that are walked through in turn, 256 MiB: a run finds little of what it reads in a cache. */
  private static final int WALKED = 16;

  /** Forward and backward passes of each kind: small ones until they are compiled, then the best of several. */
  public static MachineRates measure(Backend backend, Work work) {
    Map<Work.Kind, Map<List<Integer>, Double>> flops = new EnumMap<>(Work.Kind.class);
    for (Work.Kind kind : Work.Kind.values()) {
      Map<List<Integer>, Double> measured = new LinkedHashMap<>();
      double covered = 0;
      for (Map.Entry<List<Integer>, Double> size : work.bySize(kind).entrySet()) {
        if (covered >= COVERED * work.flops(kind) || measured.size() == MOST_SIZES) {
          break;
        }
        if (measured.isEmpty()) {
          flops(backend, kind, small(kind, size.getKey()), PATIENCE_AT_FIRST);
        }
        measured.put(size.getKey(),
            flops(backend, kind, size.getKey(), measured.isEmpty() ? PATIENCE_AT_FIRST : PATIENCE));
        covered += size.getValue();
      }
      if (!measured.isEmpty()) {
        flops.put(kind, measured);
      }
    }
    return new MachineRates(flops, bytes(backend));
  }

  /** Seconds that this work takes on one run of this machine, all else idle. */
  public double seconds(Work work) {
    double seconds = work.bytes() / bytes;
    for (Work.Kind kind : flops.keySet()) {
      seconds += seconds(work, kind);
    }
    return seconds;
  }

  /** Floating-point operations per second of one kind, in the mix of sizes that this work has. */
  public double rate(Work work, Work.Kind kind) {
    return work.flops(kind) / seconds(work, kind);
  }

  /** Sizes that were not measured run at the mean speed of those that were: their harmonic mean. */
  private double seconds(Work work, Work.Kind kind) {
    Map<List<Integer>, Double> rates = flops.get(kind);
    double usual = rates.size() / rates.values().stream().mapToDouble(rate -> 1 / rate).sum();
    return work.bySize(kind).entrySet().stream()
        .mapToDouble(size -> size.getValue() / rates.getOrDefault(size.getKey(), usual)).sum();
  }

  private static double bytes(Backend backend) {
    try (MemoryScope scope = backend.scope()) {
      List<Tensor> walked = new ArrayList<>();
      for (int i = 0; i < WALKED; i++) {
        walked.add(backend.zeros(Shape.of(MOST_FLOATS)));
      }
      return WALKED / 2 * 3 * walked.get(0).buffer().bytes() / best(backend, () -> {
        for (int i = 0; i < WALKED; i += 2) {
          backend.addTo(walked.get(i), walked.get(i + 1));
        }
      }, PATIENCE_AT_FIRST);
    }
  }

  private static double flops(Backend backend, Work.Kind kind, List<Integer> sizes, long patience) {
    try (MemoryScope scope = backend.scope()) {
      return switch (kind) {
        case LINEAR -> linear(backend, sizes, patience);
        case CONV3X3 -> convolution(backend, sizes, patience);
        case ATTENTION -> attention(backend, sizes, patience);
      };
    }
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

  private static double linear(Backend backend, List<Integer> sizes, long patience) {
    int in = sizes.get(1);
    int out = sizes.get(2);
    int rows = atMost(sizes.get(0), Math.max(in, out));
    Tensor x = backend.zeros(Shape.of(rows, in));
    Tensor y = backend.zeros(Shape.of(rows, out));
    Tensor weight = backend.zeros(Shape.of(out, in));
    return 6.0 * rows * in * out / best(backend, () -> {
      backend.linearForward(y, x, weight, null);
      backend.linearBackwardData(x, y, weight);
      backend.linearBackwardWeight(weight, null, y, x);
    }, patience);
  }

  private static double convolution(Backend backend, List<Integer> sizes, long patience) {
    int height = sizes.get(1);
    int width = sizes.get(2);
    int in = sizes.get(3);
    int out = sizes.get(4);
    int samples = atMost(sizes.get(0), height * width * Math.max(in, out));
    Conv2dGeometry same = Conv2dGeometry.of(1, 1);
    Tensor x = backend.zeros(Shape.of(samples, height, width, in));
    Tensor y = backend.zeros(Shape.of(samples, height, width, out));
    Tensor weight = backend.zeros(Shape.of(out, 3, 3, in));
    return 6.0 * 9 * samples * height * width * in * out / best(backend, () -> {
      backend.conv2dForward(y, x, weight, null, same);
      backend.conv2dBackwardData(x, y, weight, same);
      backend.conv2dBackwardWeight(weight, null, y, x, same);
    }, patience);
  }

  private static double attention(Backend backend, List<Integer> sizes, long patience) {
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
    return 14.0 * samples * queries * keys * channels / best(backend, () -> {
      backend.attentionForward(out, lse, q, k, v, heads, false);
      backend.attentionBackward(dq, dk, dv, out, q, k, v, out, lse, heads, false);
    }, patience);
  }

  private static int atMost(int wanted, int floatsOfOne) {
    return Math.max(1, Math.min(wanted, MOST_FLOATS / floatsOfOne));
  }

  private static double best(Backend backend, Runnable pass, long patience) {
    long start = System.nanoTime();
    long beaten = start;
    long best = Long.MAX_VALUE;
    int passes = 0;
    for (long now = start; (passes < FEWEST_PASSES || now - beaten < patience) && now - start < MOST_PATIENCE;
        passes++) {
      pass.run();
      backend.synchronize();
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
