package org.diffusionrpo.diffusion.lora;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextEncoder;
import org.diffusionrpo.diffusion.io.LdmMapping;
import org.diffusionrpo.diffusion.io.ModelFolder;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.io.NearestName;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.tensor.nn.AdapterSlot;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * The linear layers and convolutions of a model, by every name that LoRA files call them. Lookup is exact: kohya's names
 * cannot be taken apart again, so each module's is made and compared.
 */
public final class LoraModules {
  public static final String UNET = ModelFolder.UNET;
  public static final String TEXT_ENCODER = ModelFolder.TEXT_ENCODER;
  public static final String TEXT_ENCODER_2 = ModelFolder.TEXT_ENCODER_2;

  private final Map<String, Parameters> components;
  private final UNetConfig unet;
  private final Map<String, Module> byName = new HashMap<>();

  /** A layer and where it is. */
  public record Module(String component, String path, AdapterSlot slot) {}

  /**
   * @param components UNet and text encoders by the names of their folders
   * @param unet the UNet's config
   */
  LoraModules(Map<String, Parameters> components, UNetConfig unet) {
    this.components = components;
    this.unet = unet;
    components.forEach((component, parameters) -> parameters.slots().forEach((path, slot) -> {
      Module module = new Module(component, path, slot);
      byName.put(component + "." + path, module);
      byName.putIfAbsent(path, module); // files of one component may leave its name out
      String flat = path.replace('.', '_');
      byName.put(LoraFormat.kohyaPrefix(component, false) + flat, module);
      byName.put(LoraFormat.kohyaPrefix(component, true) + flat, module);
      if (component.equals(UNET)) {
        byName.put(LoraFormat.kohyaPrefix(UNET, false) + ldm(path).replace('.', '_'), module);
      }
    }));
  }

  /** The modules of a loaded model. */
  public static LoraModules of(StableDiffusion model) {
    UNet2DConditionModel unet = model.unet().value();
    Map<String, Parameters> components = new LinkedHashMap<>();
    components.put(UNET, unet.parameters());
    components.put(TEXT_ENCODER, model.textEncoder().value().parameters());
    if (model.isXl()) {
      components.put(TEXT_ENCODER_2, model.textEncoder2().value().parameters());
    }
    return new LoraModules(components, unet.config());
  }

  /** The modules of a model on the disk, by its config files alone: they have no values. */
  public static LoraModules of(ModelSource folder) throws IOException {
    UNet2DConditionModel unet = new UNet2DConditionModel(UNetConfig.from(folder.unet().config()));
    Map<String, Parameters> components = new LinkedHashMap<>();
    components.put(UNET, unet.parameters());
    components.put(TEXT_ENCODER, new ClipTextEncoder(ClipTextConfig.from(folder.textEncoder().config())).parameters());
    if (folder.isXl()) {
      components.put(TEXT_ENCODER_2,
          new ClipTextEncoder(ClipTextConfig.from(folder.textEncoder2().config()), true).parameters());
    }
    return new LoraModules(components, unet.config());
  }

  /** The module of that name; null if the model has none. */
  Module find(String name) {
    return byName.get(name);
  }

  /** Whether the name is of a second text encoder, which this model does not have. */
  boolean lacksPartOf(String name) {
    return !twoTextEncoders() && (name.startsWith(LoraFormat.kohyaPrefix(TEXT_ENCODER_2, true))
        || name.startsWith(TEXT_ENCODER_2 + "."));
  }

  /** The known name that a wrong one was most likely meant to be; null if none is near. */
  String nearest(String name) {
    return NearestName.of(name, byName.keySet());
  }

  /** kohya's name: with paths of the original code for the UNet of SDXL, else with ours. */
  String kohyaName(LoraLayer layer) {
    boolean ldm = twoTextEncoders() && layer.component().equals(UNET);
    String path = ldm ? ldm(layer.module()) : layer.module();
    return LoraFormat.kohyaPrefix(layer.component(), twoTextEncoders()) + path.replace('.', '_');
  }

  private String ldm(String path) {
    String name = LdmMapping.unetName(path + ".", unet);
    return name.substring(0, name.length() - 1);
  }

  private boolean twoTextEncoders() {
    return components.containsKey(TEXT_ENCODER_2);
  }
}
