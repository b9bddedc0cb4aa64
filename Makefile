# Moult. `make demo` shows it, `make test` proves it; CONTRIBUTING.md has the rest.

VERSION := $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | sed 's/^v//')
LDFLAGS := -s -w -X main.version=$(VERSION)
SCRIPTS := testdata/scripts

.PHONY: help demo test check build headless race bench bench-deltas bench-window fuzz torture roundcube fleet gallery package package-test package-others windows-test vuln clean

help:
	@echo 'make demo       build, and open the window on a sample site with its own database'
	@echo 'make test       everything: formatting, vet, staticcheck, all tests, race detector'
	@echo 'make build      ./moult with the window'
	@echo 'make headless   ./dist/moult-headless, a static binary without the window'
	@echo 'make race       the race detector on the packages with goroutines'
	@echo 'make roundcube  update a real product, as Debian packages it, and roll back'
	@echo 'make torture    kill the program at every step of an update, and recover'
	@echo 'make fuzz       each fuzz target for FUZZTIME (30s)'
	@echo 'make bench      one table of figures beside the naive way; WRITE=README.md keeps it'
	@echo 'make bench-window  frames, lists and latency of the window on a screen of its own'
	@echo 'make bench-deltas  deltas of real products against zstd, bsdiff and xdelta3'
	@echo 'make fleet      what 100 000 sites would transfer, day by day'
	@echo 'make gallery    docs/images: screenshots of the running program'
	@echo 'make package    .deb and archives for Linux in ./dist'
	@echo 'make package-test    install them in a clean Debian and use them (root)'
	@echo 'make package-others  the program without the window for macOS and Windows'
	@echo 'make windows-test    the program for Windows under Wine, in a clean Debian (root)'
	@echo 'make vuln       known vulnerabilities in what is linked in (network)'

demo:
	@sh $(SCRIPTS)/deps.sh window server
	@$(MAKE) --no-print-directory build
	./moult demo

build:
	go build -ldflags '$(LDFLAGS)' -o moult .

headless:
	CGO_ENABLED=0 go build -tags headless -ldflags '$(LDFLAGS)' -o dist/moult-headless .

# The build comes first: it fetches and compiles what all later steps need.
test:
	sh $(SCRIPTS)/deps.sh window server tests
	$(MAKE) --no-print-directory build headless
	$(MAKE) --no-print-directory check
	sh $(SCRIPTS)/fetch-debian.sh roundcube
	go test -timeout 15m ./... ./testdata/scripts/...
	$(MAKE) --no-print-directory race
	./moult demo --headless --quiet

check:
	sh $(SCRIPTS)/check.sh

# Where goroutines are: transfers, the server's connections, the window's feed.
RACE := ./core/fetch ./core/site ./core/files ./core/database/... ./core/update ./app ./widgets
race:
	go test -race -short -timeout 15m $(RACE)

roundcube:
	sh $(SCRIPTS)/deps.sh server
	sh $(SCRIPTS)/fetch-debian.sh roundcube
	go test -count=1 -v -run Roundcube ./core/demo

torture:
	sh $(SCRIPTS)/deps.sh server tests
	sh $(SCRIPTS)/torture.sh

# The table names the benchmarks; the others run with go test -bench.
WRITE ?=
bench:
	sh $(SCRIPTS)/deps.sh server bench
	go run ./$(SCRIPTS)/figures -write '$(WRITE)'

# On the driver that draws on a screen. Without a graphics card Mesa draws in software.
bench-window:
	sh $(SCRIPTS)/deps.sh window tests
	xvfb-run -a -s '-screen 0 1280x800x24' go test -tags gl -count=1 -v -run OnScreen ./app
	go test -run '^$$' -bench '100000|50KB' ./app ./widgets

bench-deltas:
	sh $(SCRIPTS)/deps.sh deltas
	sh $(SCRIPTS)/fetch-debian.sh pairs
	MOULT_PAIRS='$(CURDIR)/.cache/pairs' go test -count=1 -v -timeout 120m -run DeltasOfRealReleases ./core/delta

FUZZTIME ?= 30s
fuzz:
	sh $(SCRIPTS)/fuzz.sh $(FUZZTIME)

fleet:
	go test -count=1 -v -run 'Fleet|CheckWithNothingNew' ./core/publish

gallery:
	sh $(SCRIPTS)/gallery.sh

package:
	sh $(SCRIPTS)/package.sh '$(VERSION)'

package-test: package
	sh $(SCRIPTS)/package-test.sh

package-others:
	sh $(SCRIPTS)/package-others.sh '$(VERSION)'

windows-test: headless
	sh $(SCRIPTS)/windows-test.sh

vuln:
	go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...

clean:
	rm -rf moult dist .cache
