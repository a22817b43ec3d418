package org.diffusionrpo.diffusion.unet;

import java.io.IOException;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.BlockGradients;
import org.diffusionrpo.diffusion.block.Downsample2D;
import org.diffusionrpo.diffusion.block.ResnetBlock2D;
import org.diffusionrpo.diffusion.block.ResnetLayer;
import org.diffusionrpo.diffusion.block.Upsample2D;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every block alone: a wrong gradient shows here by the name of its block. */
class BlockGradientTest {
  private static final float EPS = 1e-5f;
  private static final Shape IMAGES = Shape.of(2, 3, 5, 6);
  private static final Shape TIME = Shape.of(2, 7);
  private static final Shape TEXT = Shape.of(2, 7, 5);

  static Stream<BlockGradients> blocks() {
    return Stream.of(
        new BlockGradients("ResnetBlock2D", path -> new ResnetBlock2D(path, 6, 6, 7, 3, EPS), IMAGES, TIME),
        new BlockGradients("ResnetBlock2D with a shortcut", path -> new ResnetBlock2D(path, 6, 9, 7, 3, EPS), IMAGES,
            TIME),
        BlockGradients.plain("ResnetBlock2D without time", path -> new ResnetLayer(path, 6, 9, 3, EPS), IMAGES),
        new BlockGradients("Transformer2DModel", path -> new Transformer2DModel(path, 6, 5, 2, 1, 3, false), IMAGES,
            TEXT),
        new BlockGradients("Transformer2DModel, linear and of two blocks",
            path -> new Transformer2DModel(path, 6, 5, 3, 2, 3, true), IMAGES, TEXT),
        new BlockGradients("BasicTransformerBlock", path -> new BasicTransformerBlock(path, 6, 5, 2),
            Shape.of(2, 11, 6), TEXT),
        BlockGradients.plain("FeedForward", path -> new FeedForward(path, 5), TEXT),
        BlockGradients.plain("TimestepEmbedding", path -> new TimestepEmbedding(path, 7, 9), TIME),
        BlockGradients.plain("Upsample2D", path -> Upsample2D.doubling(path, 6), IMAGES),
        BlockGradients.plain("Upsample2D to an odd size", BlockGradientTest::upsampleToSkip, IMAGES),
        BlockGradients.plain("Downsample2D of the UNet", path -> Downsample2D.padded(path, 6), IMAGES),
        BlockGradients.plain("Downsample2D of the VAE", path -> Downsample2D.paddedAtEnd(path, 6), IMAGES));
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void gradientsOfAllParametersAndInputsMatchFiniteDifferences(BlockGradients block) throws IOException {
    block.check();
  }

  /** To the 5 x 9 pixels that a stride of 2 made 3 x 5. */
  private static Layer upsampleToSkip(Parameters.Path path) {
    Upsample2D upsample = new Upsample2D(path, 6);
    return new Layer() {
      @Override
      public Tensor forward(Tensor x, Tape tape) {
        return upsample.forward(x, 5, 9, tape);
      }

      @Override
      public Tensor backward(Tensor dy, Tape tape) {
        return upsample.backward(dy, tape);
      }
    };
  }
}
