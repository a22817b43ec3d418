package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.tensor.Shape;

/** Pairs whose encodings lie in a cache and are read when an update wants them; see {@link PairCache}. */
public final class CachedPairs implements EncodedPairs {
  private final PairStores stores;
  private final List<PairKeys> keys;
  private final Shape latentShape;
  private final Shape contextShape;
  private final TextEmbedding emptyText;

  /** Takes over the stores. */
  CachedPairs(PairStores stores, List<PairKeys> keys, PairEncoder encoder) {
    this.stores = stores;
    this.keys = keys;
    this.latentShape = encoder.latentShape();
    this.contextShape = encoder.contextShape();
    this.emptyText = encoder.emptyText();
  }

  @Override
  public int size() {
    return keys.size();
  }

  @Override
  public Shape latentShape() {
    return latentShape;
  }

  @Override
  public Shape contextShape() {
    return contextShape;
  }

  @Override
  public TextEmbedding emptyText() {
    return emptyText;
  }

  @Override
  public List<EncodedPair> get(int[] items, View[] views) throws IOException {
    List<EncodedPair> pairs = new ArrayList<>();
    for (int i = 0; i < items.length; i++) {
      PairKeys pair = keys.get(items[i]);
      boolean flip = views[i].flip();
      pairs.add(new EncodedPair(stores.image(pair.winner(), flip), stores.image(pair.loser(), flip),
          stores.text(pair.caption()), stores.prompt(pair.caption())));
    }
    return pairs;
  }

  @Override
  public void close() throws IOException {
    stores.close();
  }
}
