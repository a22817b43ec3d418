package org.diffusionrpo.tensor;

import java.nio.charset.StandardCharsets;

/**
 * A counter-based random generator, Philox4x32-10. Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as
 * easy as 1, 2, 3", section 3.3.
 *
 * <p>The generator has no history: block number b of a stream is a bijection of a 128-bit counter under a 64-bit key,
 * <pre>
 *   key = seed     counter = (b, hash(purpose), low half of index, high half of index)
 * </pre>
 * so a stream is named by (seed, purpose, index), e.g. (1, "noise", step), and a resumed run asks for it again by name.
 * Two streams of one purpose never overlap; two purposes share a stream only if their 32-bit hashes collide.
 *
 * <p>Every method is a function of the integers drawn so far, with {@link StrictMath} where a logarithm or a sine is
 * needed: the same numbers on every machine. An object is for one thread; make a stream for each task instead.
 */
public final class Philox {
  private static final int MULTIPLIER_0 = 0xD2511F53;
  private static final int MULTIPLIER_1 = 0xCD9E8D57;
  private static final int WEYL_0 = 0x9E3779B9; // golden ratio
  private static final int WEYL_1 = 0xBB67AE85; // sqrt(3) - 1
  private static final int ROUNDS = 10;

  private final int key0;
  private final int key1;
  private final int purpose;
  private final int index0;
  private final int index1;

  /** The numbers of the current block; those before {@code used} were handed out. */
  private final int[] block = new int[4];
  private int used = 4;
  private long nextBlock;
  /** The second value of a Box-Muller pair, NaN when there is none. */
  private double spareGaussian = Double.NaN;

  private Philox(long seed, int purpose, long index) {
    this.key0 = (int) seed;
    this.key1 = (int) (seed >>> 32);
    this.purpose = purpose;
    this.index0 = (int) index;
    this.index1 = (int) (index >>> 32);
  }

  /**
   * The stream of this name, at its start.
   *
   * @param seed of the run
   * @param purpose what the numbers are for, e.g. "noise" or "timestep"
   * @param index which of the streams of that purpose, e.g. the training step or the number of a sample
   */
  public static Philox stream(long seed, String purpose, long index) {
    return new Philox(seed, fnv1a(purpose), index);
  }

  /** Uniform over all 2^32 values. A stream has 2^34 of them, then this throws {@link IllegalStateException}. */
  public int nextInt() {
    if (used == 4) {
      if (nextBlock > 0xFFFF_FFFFL) {
        throw new IllegalStateException("Philox: the 2^34 numbers of this stream are used up; open another index");
      }
      block(block, (int) nextBlock++, purpose, index0, index1, key0, key1);
      used = 0;
    }
    return block[used++];
  }

  /** Uniform over all 2^64 values; draws two ints, the high half first. */
  public long nextLong() {
    long high = nextInt();
    return high << 32 | nextInt() & 0xFFFF_FFFFL;
  }

  /** Uniform over the multiples of 2^-24 in [0, 1). */
  public float nextFloat() {
    return (nextInt() >>> 8) * 0x1p-24f;
  }

  /** Uniform over the multiples of 2^-53 in [0, 1). */
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1p-53;
  }

  /** Uniform in [0, bound), without bias. Lemire 2019, arXiv:1805.10941, algorithm 5. */
  public int nextInt(int bound) {
    if (bound < 1) {
      throw new IllegalArgumentException("Philox: bound " + bound + " is not positive");
    }
    long product = (nextInt() & 0xFFFF_FFFFL) * bound;
    if ((product & 0xFFFF_FFFFL) < bound) {
      long reject = (1L << 32) % bound;
      while ((product & 0xFFFF_FFFFL) < reject) {
        product = (nextInt() & 0xFFFF_FFFFL) * bound;
      }
    }
    return (int) (product >>> 32);
  }

  /** Standard normal. Box and Muller 1958: two uniform doubles, that is one block, give two values. */
  public double nextGaussian() {
    if (!Double.isNaN(spareGaussian)) {
      double spare = spareGaussian;
      spareGaussian = Double.NaN;
      return spare;
    }
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - nextDouble())); // 1 - u lies in (0, 1]
    double angle = 2 * Math.PI * nextDouble();
    spareGaussian = radius * StrictMath.sin(angle);
    return radius * StrictMath.cos(angle);
  }

  /** Fills with standard normal values, the same as {@code out.length} calls of {@link #nextGaussian}. */
  public void fillGaussian(float[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) nextGaussian();
    }
  }

  /** Fills with {@code low + (high - low) * u}, u as of {@link #nextFloat}; rounding may give {@code high} itself. */
  public void fillUniform(float[] out, float low, float high) {
    float width = high - low;
    for (int i = 0; i < out.length; i++) {
      out[i] = low + width * nextFloat();
    }
  }

  /** A random order of 0 .. n - 1, all orders equally likely. */
  public int[] permutation(int n) {
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    shuffle(order);
    return order;
  }

  /** Puts the values into a random order. Fisher and Yates, as in Knuth, TAOCP 2, algorithm 3.4.2P. */
  public void shuffle(int[] values) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = nextInt(i + 1);
      int swap = values[i];
      values[i] = values[j];
      values[j] = swap;
    }
  }

  /** out [4] = the block of counter (c0, c1, c2, c3) under key (k0, k1). */
  static void block(int[] out, int c0, int c1, int c2, int c3, int k0, int k1) {
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = (MULTIPLIER_0 & 0xFFFF_FFFFL) * (c0 & 0xFFFF_FFFFL);
      long product1 = (MULTIPLIER_1 & 0xFFFF_FFFFL) * (c2 & 0xFFFF_FFFFL);
      c0 = (int) (product1 >>> 32) ^ c1 ^ k0;
      c1 = (int) product1;
      c2 = (int) (product0 >>> 32) ^ c3 ^ k1;
      c3 = (int) product0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
  }

  /** The 32-bit hash of Fowler, Noll and Vo, variant 1a, of the UTF-8 bytes. */
  private static int fnv1a(String text) {
    int hash = 0x811C9DC5;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ b & 0xFF) * 0x01000193;
    }
    return hash;
  }
}
