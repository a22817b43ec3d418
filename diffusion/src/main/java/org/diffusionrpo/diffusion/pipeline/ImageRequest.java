package org.diffusionrpo.diffusion.pipeline;

/**
 * A picture to draw. It depends on these four and the sampling settings alone, never on what is drawn beside it.
 *
 * @param negativePrompt what to keep away from; "" for nothing in particular, which is the empty prompt or, for an SDXL
 *     with {@code force_zeros_for_empty_prompt}, zeros
 * @param seed of the noise
 * @param index tells pictures of one prompt and seed apart; two prompts with the same index start from the same noise
 */
public record ImageRequest(String prompt, String negativePrompt, long seed, long index) {}
