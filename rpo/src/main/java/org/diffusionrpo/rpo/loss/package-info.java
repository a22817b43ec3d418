/**
 * Preference objectives as pure functions of per-sample denoising errors, in double precision and without tensors.
 *
 * <p>Diffusion-DPO showed that such objectives see the network only through the scalars
 * {@code m = mean((prediction - target)^2)} of each image; the target is the noise, or the velocity for a model with
 * {@code v_prediction}. An objective is therefore a function from errors to a loss and to {@code dLoss/dm} of every
 * image; the trainer scales the gradient of each image's prediction with that number.
 */
package org.diffusionrpo.rpo.loss;
