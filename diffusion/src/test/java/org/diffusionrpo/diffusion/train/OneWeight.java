package org.diffusionrpo.diffusion.train;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Init;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.optim.AdamW;
import org.diffusionrpo.tensor.optim.Ema;
import org.diffusionrpo.tensor.optim.LearningRate;

/** The smallest thing that can be trained: one parameter, whose gradient norms the test dictates. */
final class OneWeight implements AutoCloseable {
  private final CpuBackend backend = CpuBackend.poisoned();
  private final Parameters parameters = new Parameters();
  private final Parameter weight;
  private final TrainState state;

  OneWeight() {
    this("weight", 3);
  }

  OneWeight(String name, int size) {
    weight = parameters.root().create(name, Shape.of(size), Init.ONES);
    parameters.initialize(backend, 1);
    parameters.unfreeze();
    state = new TrainState(parameters, new AdamW(parameters.all(), AdamW.Options.DEFAULT),
        new Ema(parameters.all(), 0.9));
  }

  TrainState state() {
    return state;
  }

  float[] values() {
    return weight.value().toArray();
  }

  void set(float... values) {
    backend.write(weight.value(), values);
  }

  /** A loop over {@code steps} updates that saves every fourth and gives up after three skips in a row. */
  TrainLoop loop(int steps, Path folder, TrainListener listener) {
    return new TrainLoop(
        new TrainLoop.Settings(steps, new LearningRate(LearningRate.Schedule.CONSTANT, 0.1, 0, steps), 1e9, 4, 3),
        state, new CheckpointStore(folder, 2), listener);
  }

  /** At update k the gradient has the norm {@code norms.get(k)}, or 1 beyond the list; a NaN makes the loss NaN. */
  TrainObjective objective(List<Double> norms) {
    return step -> {
      double norm = step < norms.size() ? norms.get(step) : 1;
      float[] gradient = new float[weight.shape().size()];
      gradient[0] = (float) norm;
      backend.write(weight.grad(), gradient);
      return Map.of(TrainLoop.LOSS, Double.isNaN(norm) ? norm : 1.0);
    };
  }

  @Override
  public void close() {
    state.close();
    parameters.close();
    backend.close();
  }
}
