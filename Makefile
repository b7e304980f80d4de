# edged: make help lists the targets.

PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR   = $(PREFIX)/bin
LIBDIR   = $(PREFIX)/lib
DOCDIR   = $(PREFIX)/share/doc/edged
RELEASE ?= $(shell cat VERSION)
GO      ?= go

# What is on the data's way is inlined, and nothing else: 1.4 MB less of a program, no slower. Without HTTP/2: 0.4 MB. docs/adr/0027-the-size.md
HOT = edged edged/batches edged/batches/aggregate edged/batches/decode edged/batches/expression edged/batches/window edged/blockstore/... \
	edged/broker edged/broker/index edged/broker/intake edged/broker/wire edged/receiver edged/sinks/delivery edged/sinks/encode edged/sinks/file \
	edged/internal/rowcodec edged/internal/rowjson edged/internal/sparse edged/internal/topic \
	github.com/VictoriaMetrics/metrics github.com/axiomhq/... github.com/dgryski/... github.com/expr-lang/expr/vm/... github.com/kamstrup/... \
	github.com/klauspost/compress/... github.com/valyala/fastjson/... go.etcd.io/bbolt/... golang.org/x/time/... \
	bytes cmp container/... encoding/binary errors hash/... io iter math math/bits runtime slices strconv strings sync sync/atomic time unicode/utf8 \
	internal/abi internal/byteorder internal/bytealg internal/chacha8rand internal/poll internal/race internal/runtime/... internal/strconv internal/stringslite internal/sync \
	crypto/internal/fips140/aes/... crypto/internal/fips140/bigmod crypto/internal/fips140/edwards25519/field crypto/internal/fips140/sha256 \
	crypto/internal/fips140/sha512 crypto/internal/fips140deps/... vendor/golang.org/x/crypto/...
GOFLAGS_BUILD = -trimpath -tags nethttpomithttp2 -gcflags=all=-l $(HOT:%=-gcflags=%=) -ldflags "-s -w -X main.release=$(RELEASE)"
BUILD         = CGO_ENABLED=0 $(GO) build $(GOFLAGS_BUILD)
BIN          ?= bin/edged
# The race detector needs a C compiler; without one the tests run without it, and say so.
RACE := $(shell command -v $${CC:-gcc} >/dev/null 2>&1 && echo -race)

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## run the gateway on this computer: broker, simulated pins, windows, files
	@bin/edged demo

.PHONY: build
build: ## build bin/edged for this computer (BIN=another/place)
	@mkdir -p bin
	@echo "building $(BIN) (a minute or two the first time, more on a Pi)"
	@$(BUILD) -o $(BIN) ./cmd/edged

.PHONY: cross
cross: ## build static binaries for Raspberry Pis (arm64, armv7, armv6) and amd64 into bin/
	@mkdir -p bin
	@GOOS=linux GOARCH=amd64         $(BUILD) -o bin/edged-linux-amd64 ./cmd/edged
	@GOOS=linux GOARCH=arm64         $(BUILD) -o bin/edged-linux-arm64 ./cmd/edged
	@GOOS=linux GOARCH=arm   GOARM=7 $(BUILD) -o bin/edged-linux-armv7 ./cmd/edged
	@GOOS=linux GOARCH=arm   GOARM=6 $(BUILD) -o bin/edged-linux-armv6 ./cmd/edged
	@ls -l bin/edged-linux-*

.PHONY: test
test: ## pass the tests: no root needed, nothing installed, about a minute and a half
	@RACE="$(RACE)" GO="$(GO)" test/run quick

.PHONY: test-all
test-all: ## everything: more random cases, fuzzing, other processors, machines (make test-deps test-machine-deps before)
	@RACE="$(RACE)" GO="$(GO)" test/run all

.PHONY: test-broker
test-broker: ## the broker alone: its packages, by statement of MQTT, abused, with clients of other makers
	@RACE="$(RACE)" GO="$(GO)" test/run broker

.PHONY: test-crash
test-crash: ## kill it: under load, while files rotate, at the k-th system call; a line for each (EDGED_TEST=quick: the quick half)
	@RACE="$(RACE)" GO="$(GO)" test/run crash

.PHONY: test-faults
test-faults: ## power cuts, full, failing and slow disks, damaged files, dead sinks and brokers…; a line for each (root; EDGED_TEST=quick: the quick half)
	@RACE="$(RACE)" GO="$(GO)" test/run faults

.PHONY: test-sql
test-sql: ## streams against SQL: every aggregate and kind of window over a million rows (sqlite3; EDGED_TEST=quick: 10,000)
	@RACE="$(RACE)" GO="$(GO)" test/run sql

.PHONY: reliability
reliability: ## test-crash and test-faults, and their lines into docs/reliability.md
	@RACE="$(RACE)" GO="$(GO)" test/run reliability

.PHONY: test-deps
test-deps: ## install what the tests need beyond Go (Debian, as root)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq gcc mosquitto mosquitto-clients strace systemd qemu-user-static iproute2 nftables sqlite3 >/dev/null
	command -v npm >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
	cd test/clients/js && npm ci --loglevel=error

.PHONY: test-machine-deps
test-machine-deps: ## install what the tests need that run in a machine of their own: test/fault/machine (Debian, as root; 42 MB)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends user-mode-linux mmdebstrap dmsetup e2fsprogs mount >/dev/null

.PHONY: bench
bench: build ## measure the table of goals, each figure beside its partner, into bench/results.md; nine minutes (ONLY=durable: a part of it, printed only)
	@cd test/bench && EDGED_BENCH=1 EDGED_BINARY=$(CURDIR)/bin/edged $(GO) test -count=1 -timeout 40m -parallel 4 -run 'TestTable/$(ONLY)'

.PHONY: bench-guards
bench-guards: build ## print size, start, memory and bytes a commit; fails where a count or a size is past its bound, never for a time
	@cd test/bench && EDGED_BENCH=1 EDGED_BINARY=$(CURDIR)/bin/edged $(GO) test -count=1 -timeout 10m -run 'TestGuards|TestJudgement'

.PHONY: bench-compare
bench-compare: ## compare a commit with what lies here, by Go benchmarks in turns: make bench-compare REV=main [WITH=another]
	@test -n "$(REV)" || { echo "make bench-compare REV=main [WITH=another]"; exit 2; }
	@GO="$(GO)" test/bench/compare $(REV) $(WITH)

.PHONY: bench-streams
bench-streams: ## print what a row costs on its way from a block into a window, for streams of each sort, with the goals
	@GOMAXPROCS=1 $(GO) test -count=5 -timeout 10m -run '^$$' -bench '^BenchmarkStreams$$' -benchtime 500ms ./batches 2>&1 | \
		awk -v go="$$($(GO) version | cut -d' ' -f3,4)" -v load="; load $$(cut -d' ' -f1 /proc/loadavg 2>/dev/null)" -f test/bench/streams.awk

.PHONY: profile
profile: build ## a flame graph of the whole pipeline at saturation: bench/out/flame.svg, and cpu.pb.gz for go tool pprof (PROFILE_SECONDS=10)
	@$(GO) build -o bin/mqttload ./test/mqttload
	@$(GO) run ./test/profile -seconds $(or $(PROFILE_SECONDS),10)

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

.PHONY: vuln
vuln: ## known vulnerabilities in what is used (govulncheck; needs the network, for the database)
	$(GO) tool -modfile=tools/go.mod govulncheck ./...

.PHONY: docs
docs: ## write the configuration reference from the code
	$(GO) run ./configs/reference > docs/configuration.md

.PHONY: sizing
sizing: ## write docs/sizing.md: what edged size says of five set-ups
	$(GO) run ./configs/sizing/page > docs/sizing.md

.PHONY: install
install: bin/edged ## install binary, unit, user and an example configuration (DESTDIR, PREFIX)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/systemd/system $(DESTDIR)$(LIBDIR)/sysusers.d \
		$(DESTDIR)$(LIBDIR)/udev/rules.d $(DESTDIR)$(DOCDIR) $(DESTDIR)/etc/edged
	install -d -m 0700 $(DESTDIR)/etc/edged/secrets
	install -m 0755 bin/edged $(DESTDIR)$(BINDIR)/edged
	sed -e 's|@BINDIR@|$(BINDIR)|' -e 's|@DOCDIR@|$(DOCDIR)|' systemd/edged.service.in > $(DESTDIR)$(LIBDIR)/systemd/system/edged.service
	chmod 0644 $(DESTDIR)$(LIBDIR)/systemd/system/edged.service
	install -m 0644 systemd/edged.sysusers $(DESTDIR)$(LIBDIR)/sysusers.d/edged.conf
	install -m 0644 systemd/edged.rules $(DESTDIR)$(LIBDIR)/udev/rules.d/60-edged.rules
	install -m 0644 README.md docs/configuration.md $(DESTDIR)$(DOCDIR)
	test -e $(DESTDIR)/etc/edged/edged.toml || install -m 0644 configs/examples/edged.toml $(DESTDIR)/etc/edged/edged.toml
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then \
		systemd-sysusers && udevadm control --reload && udevadm trigger --subsystem-match=gpio && systemctl daemon-reload && \
		echo && echo "installed. Look at /etc/edged/edged.toml, then: systemctl enable --now edged"; fi

bin/edged:
	@$(MAKE) --no-print-directory build

.PHONY: uninstall
uninstall: ## remove what install put there; configuration and data stay
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then systemctl disable --now edged || true; fi
	rm -f $(DESTDIR)$(BINDIR)/edged $(DESTDIR)$(LIBDIR)/systemd/system/edged.service \
		$(DESTDIR)$(LIBDIR)/sysusers.d/edged.conf $(DESTDIR)$(LIBDIR)/udev/rules.d/60-edged.rules
	rm -rf $(DESTDIR)$(DOCDIR)
	@echo "kept: $(DESTDIR)/etc/edged and /var/lib/edged"
