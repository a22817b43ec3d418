/** What a run would take: memory from counting it, time from the speed of the machine. */
package org.diffusionrpo.rpo.plan;
