package org.diffusionrpo.tensor;

/**
 * A handle on a contiguous row-major array of one backend. A handle is one owner of its {@link Buffer}: it ends with
 * {@link #close}, or with the {@link MemoryScope} it belongs to, whichever is first. Using an ended handle throws.
 */
public final class Tensor implements AutoCloseable {
  private final Shape shape;
  private final Buffer buffer;
  private MemoryScope scope;
  private boolean open = true;

  /** Takes over one ownership of {@code buffer}; the new handle belongs to no scope. */
  Tensor(Shape shape, Buffer buffer) {
    if (shape.size() != buffer.length()) {
      throw new IllegalArgumentException("shape " + shape + " does not fit " + buffer.length() + " elements");
    }
    this.shape = shape;
    this.buffer = buffer;
  }

  /** A handle on fresh memory, owned by the innermost open scope if there is one. For backends. */
  public static Tensor create(Shape shape, Buffer buffer) {
    Tensor tensor = new Tensor(shape, buffer);
    buffer.backend().memory().adopt(tensor);
    return tensor;
  }

  public Shape shape() {
    return shape;
  }

  /** Extent of an axis; -1 is the last. */
  public int dim(int axis) {
    return shape.dim(axis);
  }

  public int size() {
    return shape.size();
  }

  public Backend backend() {
    return buffer.backend();
  }

  public Storage storage() {
    return buffer.storage();
  }

  /** The memory itself, for backends. */
  public Buffer buffer() {
    if (!open) {
      throw new IllegalStateException("tensor " + shape + " was used after it was released");
    }
    return buffer;
  }

  /** The same elements under another shape of equal size; a new handle of the innermost scope. */
  public Tensor reshape(int... dims) {
    Tensor view = share(Shape.of(dims));
    backend().memory().adopt(view);
    return view;
  }

  /** Another owner of the same memory that belongs to no scope: whoever asked for it must close it. */
  public Tensor share() {
    return share(shape);
  }

  private Tensor share(Shape as) {
    Buffer shared = buffer();
    Tensor handle = new Tensor(as, shared);
    shared.retain();
    return handle;
  }

  /** The elements as a new array, widened to float. Waits for the device. */
  public float[] toArray() {
    return backend().toArray(this);
  }

  public boolean isOpen() {
    return open;
  }

  /** Ends this handle. Closing twice does nothing. */
  @Override
  public void close() {
    if (open) {
      open = false;
      scope = null;
      buffer.release();
    }
  }

  MemoryScope scope() {
    return scope;
  }

  void moveTo(MemoryScope owner) {
    scope = owner;
  }

  @Override
  public String toString() {
    return "Tensor" + shape + (open ? "" : " (released)");
  }
}
