package org.diffusionrpo.bench.oracle;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/** Float64 parameters by the {@link FillRule}, all in memory, with gradients. */
final class LeafWeights implements Weights {
  /** In byte order of the names, as the fill rule wants them. */
  private final Map<String, Tensor> parameters = new TreeMap<>();

  /** @param pass runs the network once; that finds out which parameters there are */
  LeafWeights(Consumer<Weights> pass) {
    Map<String, long[]> shapes = new TreeMap<>();
    Tensors.scoped(() -> pass.accept((name, shape) -> {
      shapes.put(name, shape);
      return Tensors.constant(new float[Tensors.elements(shape)], shape);
    }));
    int counter = 0;
    for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
      float[] values = FillRule.weight(entry.getKey(), entry.getValue(), counter);
      counter += values.length;
      parameters.put(entry.getKey(), Tensors.leaf(values, entry.getValue()));
    }
  }

  @Override
  public Tensor get(String name, long... shape) {
    return parameters.get(name);
  }

  Map<String, Tensor> all() {
    return Collections.unmodifiableMap(parameters);
  }

  /** Sum of the squares of all gradients. */
  double gradientSquares() {
    return parameters.values().stream().mapToDouble(weight -> Tensors.squares(weight.grad())).sum();
  }
}
