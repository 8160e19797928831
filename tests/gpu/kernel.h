/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the device runs, in PTX, which the driver compiles for the device it
 * has: a loop that depends on itself, so that no compiler can shorten it, in
 * one thread. For any device from Maxwell on.
 */
#ifndef RF_TESTS_GPU_KERNEL_H
#define RF_TESTS_GPU_KERNEL_H

static const char kernel[] = ".version 6.0\n"
			     ".target sm_52\n"
			     ".address_size 64\n"
			     "\n"
			     ".visible .entry rf_work(.param .u64 out, .param .u64 turns)\n"
			     "{\n"
			     "	.reg .pred %p<3>;\n"
			     "	.reg .b64 %rd<8>;\n"
			     "\n"
			     "	ld.param.u64 %rd1, [out];\n"
			     "	ld.param.u64 %rd2, [turns];\n"
			     "	mov.u64 %rd3, 88172645463325252;\n"
			     "	setp.eq.u64 %p1, %rd2, 0;\n"
			     "	@%p1 bra DONE;\n"
			     "LOOP:\n"
			     "	shl.b64 %rd4, %rd3, 13;\n"
			     "	xor.b64 %rd3, %rd3, %rd4;\n"
			     "	shr.u64 %rd4, %rd3, 7;\n"
			     "	xor.b64 %rd3, %rd3, %rd4;\n"
			     "	shl.b64 %rd4, %rd3, 17;\n"
			     "	xor.b64 %rd3, %rd3, %rd4;\n"
			     "	sub.u64 %rd2, %rd2, 1;\n"
			     "	setp.ne.u64 %p2, %rd2, 0;\n"
			     "	@%p2 bra LOOP;\n"
			     "	cvta.to.global.u64 %rd5, %rd1;\n"
			     "	st.global.u64 [%rd5], %rd3;\n"
			     "DONE:\n"
			     "	ret;\n"
			     "}\n";

#endif
