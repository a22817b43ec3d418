package org.diffusionrpo.rpo.data;

/** One entry of a source that was read: a pair, its pictures still encoded, or why there is none. */
public sealed interface PairEntry permits PreferencePair, LeftOut {}
