/** What a run leaves for people: the log of its steps, tables with spread, and a page that stands alone. */
package org.diffusionrpo.rpo.report;
