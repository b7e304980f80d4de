# The lines of BenchmarkStreams as a table: the median of what each stream was measured at.

/^cpu:/ { sub(/^cpu: */, ""); cpu = $0 }

/^BenchmarkStreams\// {
	name = $1
	sub(/^BenchmarkStreams\//, "", name)
	sub(/-[0-9]+$/, "", name)
	if (!(name in runs)) order[++streams] = name
	runs[name]++
	for (i = 3; i < NF; i += 2) value[name, $(i + 1), runs[name]] = $i
}

/^(FAIL|---)|panic:/ { print; failed = 1 }

function median(name, unit,    n, i, k, x, v) {
	n = runs[name]
	for (i = 1; i <= n; i++) {
		x = value[name, unit, i] + 0
		for (k = i - 1; k > 0 && v[k] > x; k--) v[k + 1] = v[k]
		v[k + 1] = x
	}
	return v[int((n + 1) / 2)]
}

END {
	printf "%-34s %8s %9s %12s\n", "stream", "ns/row", "goal", "allocs/row"
	for (s = 1; s <= streams; s++) {
		name = order[s]
		goal = median(name, "goal-ns/row")
		label = name
		gsub(/_/, " ", label)
		printf "%-34s %8.0f %9s %12.3f\n", label, median(name, "ns/row"), (goal > 0 ? "≤ " goal : "–"), median(name, "allocs/row")
	}
	printf "processor time, median of %d runs; GOMAXPROCS=1, %s, %s%s\n", runs[order[1]], go, cpu, load
	if (failed || streams == 0) exit 1
}
