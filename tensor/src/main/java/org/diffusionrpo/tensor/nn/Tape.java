package org.diffusionrpo.tensor.nn;

import java.util.ArrayDeque;
import java.util.Deque;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * What forward keeps for backward: a stack of frames, each tagged with the layer that made it. Backward is forward
 * read from bottom to top, so it pops the frames in exactly the reverse order; a layer that does not is found out.
 */
public class Tape implements AutoCloseable {
  /** Keeps nothing: for inference, reference models and the first pass of a recomputed block. */
  public static final Tape NONE = new Tape() {
    @Override
    public void push(Object owner, Tensor... saved) {}

    @Override
    public void push(Object owner, Shape shape) {}

    @Override
    public boolean records() {
      return false;
    }
  };

  private final Deque<Frame> frames = new ArrayDeque<>();

  /** Becomes one more owner of each tensor until the popped frame closes. */
  public void push(Object owner, Tensor... saved) {
    Tensor[] shares = new Tensor[saved.length];
    for (int i = 0; i < saved.length; i++) {
      shares[i] = saved[i].share();
    }
    frames.push(new Frame(owner, null, shares));
  }

  /** For a layer whose backward needs only the shape of its input. */
  public void push(Object owner, Shape shape) {
    frames.push(new Frame(owner, shape));
  }

  /** The newest frame, which must be {@code owner}'s. */
  public Frame pop(Object owner) {
    Frame frame = frames.peek();
    if (frame == null || frame.owner != owner) {
      throw new IllegalStateException("backward must mirror forward in reverse: " + describe(owner) + " asks for its "
          + "frame, the tape has " + (frame == null ? "none" : describe(frame.owner) + "'s"));
    }
    return frames.pop();
  }

  /** False for {@link #NONE}. */
  public boolean records() {
    return true;
  }

  public boolean isEmpty() {
    return frames.isEmpty();
  }

  /** Lets go of all frames that were not popped, after an error or when no backward follows. */
  @Override
  public void close() {
    frames.forEach(Frame::close);
    frames.clear();
  }

  private static String describe(Object owner) {
    return owner.getClass().getSimpleName();
  }

  /** The tensors of one layer's forward pass. */
  public static final class Frame implements AutoCloseable {
    private final Object owner;
    private final Shape shape;
    private final Tensor[] saved;

    private Frame(Object owner, Shape shape, Tensor... saved) {
      this.owner = owner;
      this.shape = shape;
      this.saved = saved;
    }

    /** The saved shape, or that of the first saved tensor. */
    public Shape shape() {
      return shape == null ? saved[0].shape() : shape;
    }

    /** Number of saved tensors. */
    public int size() {
      return saved.length;
    }

    public Tensor get(int index) {
      return saved[index];
    }

    @Override
    public void close() {
      for (Tensor tensor : saved) {
        tensor.close();
      }
    }
  }
}
