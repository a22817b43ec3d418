package org.diffusionrpo.bench.oracle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.pytorch.Tensor;
import org.diffusionrpo.tensor.io.TensorSource;

/** Float32 parameters, each read when the network asks for it, so that no more are in memory than one block needs. */
final class StreamedWeights implements Weights {
  private final TensorSource source;
  private final Set<String> unused;

  StreamedWeights(TensorSource source) {
    this.source = source;
    this.unused = new TreeSet<>(source.names());
  }

  @Override
  public Tensor get(String name, long... shape) {
    long[] stored = Arrays.stream(source.info(name).dims()).asLongStream().toArray();
    if (!Arrays.equals(stored, shape)) {
      throw new IllegalStateException(name + " is " + Arrays.toString(stored) + ", but the network expects "
          + Arrays.toString(shape));
    }
    unused.remove(name);
    try {
      return Tensors.single(source.readFloats(name), shape);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Names that the network has not asked for. */
  Set<String> unused() {
    return unused;
  }
}
