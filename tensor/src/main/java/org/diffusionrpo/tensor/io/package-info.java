/** Tensors in files: safetensors, and files that a crash cannot leave half-written. Nothing here knows a model. */
package org.diffusionrpo.tensor.io;
