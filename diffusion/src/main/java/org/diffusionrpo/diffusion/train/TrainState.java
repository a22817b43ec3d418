package org.diffusionrpo.diffusion.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.diffusionrpo.tensor.io.SafetensorsWriter;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.optim.Ema;
import org.diffusionrpo.tensor.optim.Gradients;
import org.diffusionrpo.tensor.optim.Optimizer;

/**
 * Everything that the next update depends on beside the seed: weights, optimizer and, where there is one, the weight
 * average. All in F32 and in memory's layout, so that a resumed run continues bit for bit.
 *
 * @param ema null without a weight average
 */
public record TrainState(Parameters parameters, Optimizer optimizer, Ema ema) implements AutoCloseable {
  private static final String STEPS = "optimizer_steps";

  /**
   * Writes one safetensors file; the step counter stands in its metadata.
   *
   * @param notes further short facts to keep there
   */
  public void save(Path file, Map<String, String> notes) throws IOException {
    Map<String, Tensor> tensors = tensors();
    var infos = tensors.entrySet().stream().map(e -> info(e.getKey(), e.getValue())).toList();
    Map<String, String> metadata = new TreeMap<>(notes);
    metadata.put(STEPS, Integer.toString(optimizer.steps()));
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, infos, metadata)) {
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        writer.writeFloats(entry.getKey(), entry.getValue().toArray());
      }
      writer.commit();
    }
  }

  /**
   * Restores what {@link #save} wrote; the model, the optimizer and the average must be of the same kind and size, or
   * nothing is changed.
   *
   * @return the notes
   */
  public Map<String, String> load(Path file) throws IOException {
    try (SafetensorsFile source = SafetensorsFile.open(file)) {
      Map<String, Tensor> tensors = tensors();
      if (!tensors.keySet().equals(source.names())) {
        throw new IOException(file + " holds the state of another kind of run: it has " + source.names().size()
            + " tensors, this run needs " + tensors.size() + " (same model, optimizer and weight average)");
      }
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        TensorInfo needed = info(entry.getKey(), entry.getValue());
        if (!source.info(entry.getKey()).equals(needed)) {
          throw new IOException(file + " holds the state of another kind of run: it has "
              + source.info(entry.getKey()) + ", this run needs " + needed);
        }
      }
      if (!source.metadata().getOrDefault(STEPS, "").matches("\\d{1,9}")) {
        throw new IOException(file + " is not the state of a run: its metadata has no " + STEPS);
      }
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        entry.getValue().backend().write(entry.getValue(), source.readFloats(entry.getKey()));
      }
      optimizer.resume(Integer.parseInt(source.metadata().get(STEPS)));
      return source.metadata();
    }
  }

  /**
   * The end of an update, once its gradients are there.
   *
   * @param norm of the gradients
   * @param maxNorm to which they are scaled down
   */
  public void step(double norm, double maxNorm, double learningRate) {
    Gradients.clip(parameters.all(), norm, maxNorm);
    optimizer.step(learningRate);
    if (ema != null) {
      ema.update(optimizer.steps());
    }
  }

  private static TensorInfo info(String name, Tensor tensor) {
    return TensorInfo.of(name, DType.F32, tensor.shape().toArray());
  }

  private Map<String, Tensor> tensors() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Parameter parameter : parameters.all()) {
      if (!parameter.isFrozen()) {
        tensors.put("weights/" + parameter.name(), parameter.value());
      }
    }
    optimizer.state().forEach((name, tensor) -> tensors.put("optimizer/" + name, tensor));
    if (ema != null) {
      ema.averages().forEach((name, tensor) -> tensors.put("ema/" + name, tensor));
    }
    return tensors;
  }

  @Override
  public void close() {
    optimizer.close();
    if (ema != null) {
      ema.close();
    }
  }
}
