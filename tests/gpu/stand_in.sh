# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034 # what lib.sh sets, and what the test uses
#
# A GPU for tests/gpu/test_gpu_real.sh on a host that has none: tests/library/libcuda.c, whose device is a clock; the
# library of tests/e2e/nvml, which tells of that clock; what NVIDIA's driver says of itself in /proc; nodes that no
# driver is behind; and an nvidia-smi. All of it in this test's own mount namespace.

# The helper is nobody, who must be able to read these.
chmod 711 "$tmp"
mkdir -m 755 "$tmp/lib" "$tmp/bin" "$tmp/dev"
cuda_library=${RF_CUDA_LIBRARY:-$tmp/lib/libcuda.so.1}
nvml_library=${RF_NVML_LIBRARY:-$tmp/lib/libnvidia-ml.so.1}
cp "$build/tests/library/libcuda.so.1" "$build/tests/e2e/nvml/libnvidia-ml.so.1" "$tmp/lib"
chmod 755 "$tmp/lib/"*
export RF_CUDA_DEVICE="$tmp/lib/device"
cat >"$tmp/lib/libnvidia-ml.so.1.conf" <<END
cuda $RF_CUDA_DEVICE
device pci=0x3b temp=41 power=301500 limit=700000 meter=1 util=93 used=4194304000 clock=1980 memclock=2619
END
chmod 644 "$tmp/lib/libnvidia-ml.so.1.conf"

mount -t tmpfs -o mode=755 none "$tmp/dev" || tap_skip_all "nothing can be mounted here"
trap 'umount "$tmp/dev" 2>/dev/null; cleanup' EXIT
dev=$tmp/dev
mknod -m 666 "$dev/nvidia0" c 195 0
mknod -m 666 "$dev/nvidiactl" c 195 255
mknod -m 666 "$dev/nvidia-uvm" c 400 0
export RF_CUDA_NODE="$dev/nvidia0"
opened="No such device or address"
us=10000 long=3000 margin=3000 quota_ms=9000 power_s=2 launches=2000
over=300 sampled=200 held=200
# In a slow guest asking takes long, too.
[ "$RF_SLOW" -le 1 ] || us=40000 long=8000 margin=14000 quota_ms=30000 sampled=300

mount -t tmpfs none /proc/driver
mkdir -p /proc/driver/nvidia/gpus/0000:3b:00.0
printf 'Model: \t\t a clock\nGPU UUID: \t GPU-3b\nDevice Minor: \t 0\n' >/proc/driver/nvidia/gpus/0000:3b:00.0/information
sed '/^Character/a 195 nvidia\n400 nvidia-uvm' /proc/devices >"$tmp/devices"
mount --bind "$tmp/devices" /proc/devices

cat >"$tmp/bin/nvidia-smi" <<'END'
#!/bin/sh
for argument; do
	case $argument in
	--query-gpu=*) fields=$(echo "${argument#*=}" | tr , ' ') ;;
	esac
done
for field in $fields; do
	case $field in
	name) echo "a clock" ;;
	driver_version) echo 600.1.2 ;;
	uuid) echo GPU-3b ;;
	temperature.gpu) echo 41 ;;
	power.draw) echo 301.50 ;;
	power.limit) echo 700.00 ;;
	clocks.sm) echo 1980 ;;
	clocks.mem) echo 2619 ;;
	memory.total) echo 65536 ;;
	memory.used) echo 4000 ;;
	utilization.gpu) echo 93 ;;
	*) echo "[N/A]" ;;
	esac
done | paste -sd, | sed 's/,/, /g'
END
chmod 755 "$tmp/bin/nvidia-smi"
PATH=$tmp/bin:$PATH
