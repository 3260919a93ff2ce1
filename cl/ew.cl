/* Element-wise kernels are generated (lib/ops/ew_gen.c): an expression per operator, chains of them in one kernel, for
 * the layouts at hand. Their text stands in front of this file in the program named "ew"; this file adds nothing. */
