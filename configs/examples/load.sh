#!/bin/sh
# A receiver for edged, in shell: one JSON object a line on standard output, every $EVERY seconds.
while read -r load1 load5 load15 processes last </proc/loadavg; do
	printf '{"load1":%s,"load5":%s,"load15":%s,"running":%s}\n' "$load1" "$load5" "$load15" "${processes%/*}"
	sleep "${EVERY:-1}"
done
