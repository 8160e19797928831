#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# As the subject "isolation", and the loop is in no workload.
cgroup=/rf-bench-other
export cgroup
exec "$(dirname "$0")/subject_isolation.sh" "$@"
