package org.diffusionrpo.bench.versus;

/**
 * One line of the comparison: a computation that each side makes in its own way. Images are named [N, C, H, W], as
 * libtorch holds them; we hold them [N, H, W, C].
 */
sealed interface Row {
  /** As the table and the command line call it. */
  String name();

  /** The side's computation of this row, ready to be repeated. */
  Runnable prepare(Worker worker);

  /** Multiplications and additions; 0 where memory is the bound. */
  default double operations() {
    return 0;
  }

  /** True when a run takes seconds: fewer of them are made, and the peak of memory is of interest. */
  default boolean isWholeNetwork() {
    return false;
  }

  /** C [m, n] = A [m, k] B [k, n]; made into C anew, except that our TN adds to it, as it does in training. */
  record Gemm(Form form, int m, int n, int k) implements Row {
    private static final String SIZE = "[1-9]\\d{0,6}";

    /** Reads the name of any product, for example {@code gemm NT 4096x320x2880}. */
    static Gemm parse(String name) {
      if (!name.matches("gemm (NN|NT|TN) " + SIZE + "x" + SIZE + "x" + SIZE)) {
        throw new IllegalArgumentException(name + ": expected gemm NN, NT or TN and MxNxK, for example "
            + "gemm NT 4096x320x2880");
      }
      String[] words = name.split(" ");
      String[] sizes = words[2].split("x");
      return new Gemm(Form.valueOf(words[1]), Integer.parseInt(sizes[0]), Integer.parseInt(sizes[1]),
          Integer.parseInt(sizes[2]));
    }

    @Override
    public String name() {
      return "gemm " + form + " " + m + "x" + n + "x" + k;
    }

    @Override
    public Runnable prepare(Worker worker) {
      return worker.gemm(this);
    }

    @Override
    public double operations() {
      return 2.0 * m * n * k;
    }
  }

  /** Stride 1, same size, with bias. Backward is for the image, the filter and the bias. */
  record Convolution(Pass pass, int kernel, int samples, int channels, int side, int filters) implements Row {
    @Override
    public String name() {
      return "conv" + kernel + "x" + kernel + " [" + samples + "," + channels + "," + side + "," + side + "]->"
          + filters + " " + pass;
    }

    @Override
    public Runnable prepare(Worker worker) {
      return worker.convolution(this);
    }

    @Override
    public double operations() {
      double forward = 2.0 * samples * side * side * channels * filters * kernel * kernel;
      return pass == Pass.FORWARD ? forward : 2 * forward;
    }
  }

  /** Scaled dot-product attention without mask; channels are (head, headDim). */
  record Attention(Pass pass, int samples, int heads, int queries, int keys, int headDim) implements Row {
    @Override
    public String name() {
      return "attention " + samples + "x" + heads + "x" + queries + "x" + keys + "x" + headDim + " " + pass;
    }

    @Override
    public Runnable prepare(Worker worker) {
      return worker.attention(this);
    }

    @Override
    public double operations() {
      double forward = 4.0 * samples * heads * queries * keys * headDim;
      return pass == Pass.FORWARD ? forward : 2.5 * forward;
    }
  }

  /** silu(group_norm(x)), 32 groups. */
  record GroupNormSilu(Pass pass, int samples, int channels, int side) implements Row {
    static final int GROUPS = 32;

    @Override
    public String name() {
      return "group_norm+silu [" + samples + "," + channels + "," + side + "," + side + "] " + pass;
    }

    @Override
    public Runnable prepare(Worker worker) {
      return worker.groupNormSilu(this);
    }
  }

  /** Layer norm over the channels of [samples, tokens, channels]. */
  record LayerNorm(Pass pass, int samples, int tokens, int channels) implements Row {
    @Override
    public String name() {
      return "layer_norm [" + samples + "," + tokens + "," + channels + "] " + pass;
    }

    @Override
    public Runnable prepare(Worker worker) {
      return worker.layerNorm(this);
    }
  }

  /** a * gelu(g) of x = [a, g] along the last axis, [samples, tokens, width]. */
  record Geglu(Pass pass, int samples, int tokens, int width) implements Row {
    @Override
    public String name() {
      return "geglu [" + samples + "," + tokens + "," + width + "] " + pass;
    }

    @Override
    public Runnable prepare(Worker worker) {
      return worker.geglu(this);
    }
  }

  /** Stable Diffusion 1.5's UNet with 77 tokens of context; backward fills the gradient of every parameter. */
  record UNet(boolean backward, int samples, int side, boolean checkpointing) implements Row {
    static final int TOKENS = 77;

    @Override
    public String name() {
      return "unet sd15 " + (backward ? "forward+backward " : "forward ") + samples + "x" + side + "x" + side
          + (checkpointing ? " checkpointing" : "");
    }

    @Override
    public Runnable prepare(Worker worker) {
      return worker.unet(this);
    }

    @Override
    public boolean isWholeNetwork() {
      return true;
    }
  }

  /**
   * A whole update of Diffusion-RPO on the bundled UNet: the policy forward and backward, the reference forward, the loss
   * over all pairs, clipped gradients, AdamW. Latents and contexts are random.
   */
  record RpoStep(int pairs) implements Row {
    @Override
    public String name() {
      return "rpo step " + pairs + " pairs";
    }

    @Override
    public Runnable prepare(Worker worker) {
      return worker.rpoStep(this);
    }

    @Override
    public boolean isWholeNetwork() {
      return true;
    }
  }
}
