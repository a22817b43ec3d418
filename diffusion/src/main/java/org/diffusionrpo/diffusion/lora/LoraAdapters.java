package org.diffusionrpo.diffusion.lora;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.io.CheckpointMapping;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.AdapterSlot;
import org.diffusionrpo.tensor.nn.LowRankAdapter;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * Trainable low-rank adapters in a frozen UNet. Training sees their parameters alone, named as in PEFT without the
 * leading {@code unet.}; switched off, the UNet is the base model to the bit, so it is its own reference.
 */
public final class LoraAdapters implements AutoCloseable {
  private final UNet2DConditionModel unet;
  private final double alpha;
  private final Parameters parameters = new Parameters();
  private final Map<String, LowRankAdapter> byPath = new LinkedHashMap<>();

  private LoraAdapters(UNet2DConditionModel unet, LoraConfig config) {
    this.unet = unet;
    this.alpha = config.alpha();
    Map<String, AdapterSlot> slots = unet.parameters().slots();
    for (String path : config.choose(slots.keySet())) {
      byPath.put(path, slots.get(path).attach(parameters.root().at(path), config.rank(),
          (float) (config.alpha() / config.rank())));
    }
  }

  /** Puts new adapters into a frozen UNet; {@link IllegalArgumentException} for a target that it does not have. */
  public static LoraAdapters attach(UNet2DConditionModel unet, LoraConfig config) {
    return new LoraAdapters(unet, config);
  }

  /** Gives A and B their starting values, functions of the seed and the path; the UNet computes as before. */
  public void initialize(Backend backend, long seed) {
    parameters.initialize(backend, seed);
  }

  /** A and B of all adapters. */
  public Parameters parameters() {
    return parameters;
  }

  public void setEnabled(boolean enabled) {
    byPath.values().forEach(adapter -> adapter.setEnabled(enabled));
  }

  /** What a parameter of the UNet is with its adapter merged, in memory's layout. */
  public float[] merged(Parameter parameter) {
    String suffix = ".weight";
    String path = parameter.name().endsWith(suffix)
        ? parameter.name().substring(0, parameter.name().length() - suffix.length()) : "";
    return byPath.containsKey(path) ? unet.parameters().slots().get(path).merged() : parameter.value().toArray();
  }

  /** The adapters as files hold them, in F32. */
  public List<LoraLayer> layers() {
    List<LoraLayer> layers = new ArrayList<>();
    byPath.forEach((path, adapter) -> layers.add(
        new LoraLayer(LoraModules.UNET, path, matrix(adapter.a()), matrix(adapter.b()), alpha)));
    return layers;
  }

  private static LoraLayer.Matrix matrix(Parameter parameter) {
    return new LoraLayer.Matrix(DType.F32, CheckpointMapping.info(parameter, DType.F32).dims(),
        CheckpointMapping.toFile(parameter.shape(), parameter.value().toArray()));
  }

  /** Takes the adapters out of the UNet and releases them. */
  @Override
  public void close() {
    byPath.keySet().forEach(path -> unet.parameters().slots().get(path).detach());
    parameters.close();
  }
}
