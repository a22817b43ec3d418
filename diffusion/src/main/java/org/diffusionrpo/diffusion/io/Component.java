package org.diffusionrpo.diffusion.io;

/**
 * A part of a model with the JSON that it was made from, which a save writes back key for key.
 *
 * @param value the network or, for a scheduler, its settings
 */
public record Component<T>(T value, ModelConfig config) {}
