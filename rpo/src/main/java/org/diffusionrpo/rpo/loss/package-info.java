/**
 * Preference objectives as pure functions of per-sample denoising errors, in double precision and without tensors.
 *
 * <p>Diffusion-DPO showed that such objectives see the network only through the scalars
 * {@code m = mean((prediction - noise)^2)} of each image. An objective is therefore a function from errors to a loss
 * and to {@code dLoss/dm} of every image; the trainer scales each image's noise-prediction gradient with that number.
 */
package org.diffusionrpo.rpo.loss;
