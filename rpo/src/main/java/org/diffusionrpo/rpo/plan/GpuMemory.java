package org.diffusionrpo.rpo.plan;

import java.util.List;
import java.util.function.ToLongFunction;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.Counts;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.counting.Work;

/**
 * Bytes that a run takes of a GPU. Tensors are counted; all else is estimated, from above.
 *
 * @param tensors at the peak
 * @param workspace that cuDNN's algorithms may ask for
 * @param copies of operands and results in the format that is multiplied in, where they are kept in another
 * @param scores of attention whose heads no kernel is made for, such as the VAE's
 */
public record GpuMemory(long tensors, long workspace, long copies, long scores) {
  private static final long MIB = 1L << 20;

  /** Share of the free memory that a run can fill: code of the libraries is loaded later, and blocks leave gaps. */
  private static final double USABLE = 0.9;

  /** Algorithms that need more are not taken. */
  private static final long MOST_WORKSPACE = 512 * MIB;

  /** Of one matrix; the backward pass has two. */
  private static final long MOST_SCORES = 64 * MIB;

  private static final int WIDEST_HEAD = 160;

  public static GpuMemory of(Counts counts) {
    AlignSettings settings = counts.settings();
    boolean half = settings.precision.equals("bf16") || settings.precision.equals("fp16");
    // In 16 bits the gradient of a weight is widened before it is added.
    int weightBytes = half ? 2 + 4 : settings.storage == Storage.F32 ? 0 : 4;
    int otherBytes = half ? 2 : 0;
    long ofLinear = most(counts, Work.Kind.LINEAR, s -> copies(s.get(0), s.get(1), s.get(2), 1, weightBytes,
        otherBytes));
    long ofConvolution = most(counts, Work.Kind.CONV3X3, s -> copies((long) s.get(0) * s.get(1) * s.get(2), s.get(3),
        s.get(4), 9, weightBytes, otherBytes));
    return new GpuMemory(counts.peak(), MOST_WORKSPACE, Math.max(ofLinear, ofConvolution),
        most(counts, Work.Kind.ATTENTION, GpuMemory::scores));
  }

  private static long copies(long rows, long in, long out, int taps, int weightBytes, int otherBytes) {
    return otherBytes * rows * (in + out) + weightBytes * taps * in * out;
  }

  /** @param attention samples, queries, keys, heads, head size */
  private static long scores(List<Integer> attention) {
    int head = attention.get(4);
    return head <= WIDEST_HEAD && head % 4 == 0 ? 0
        : 2 * Math.min(MOST_SCORES, 4L * attention.get(1) * attention.get(2));
  }

  private static long most(Counts counts, Work.Kind kind, ToLongFunction<List<Integer>> bytes) {
    return counts.loads().values().stream().flatMap(load -> load.work().bySize(kind).keySet().stream())
        .mapToLong(bytes).max().orElse(0);
  }

  public long total() {
    return tensors + workspace + copies + scores;
  }

  /** @param free bytes that tensors could have now */
  public boolean fits(long free) {
    return total() <= USABLE * free;
  }
}
