// What instrumented code calls, for a program without a fuzzer: the one that writes the seeds. AddressSanitizer brings the same, where
// it is linked.
#define IGNORED(name) void __sanitizer_cov_##name(void) {}
IGNORED(8bit_counters_init)
IGNORED(pcs_init)
IGNORED(trace_pc_indir)
IGNORED(trace_switch)
IGNORED(trace_cmp1)
IGNORED(trace_cmp2)
IGNORED(trace_cmp4)
IGNORED(trace_cmp8)
IGNORED(trace_const_cmp1)
IGNORED(trace_const_cmp2)
IGNORED(trace_const_cmp4)
IGNORED(trace_const_cmp8)
