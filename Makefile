BUILD = swift build --explicit-target-dependency-import-check error
.PHONY: run test conformance soak check-certificate clients build format lint setup clean

# Without debug information the build is shorter. A crash still names its functions, but not their lines.
run: setup
	@$(BUILD) -c release --product netpol-lab -debug-info-format none
	@.build/release/netpol-lab run -f examples/homelab

# Tests with packets come first. Tests that compute for minutes (Slow) would delay them, and so would tests that measure
# with real-time threads (Alone), so these two kinds run afterwards, one kind at a time. See Tests/Support/Tags.swift.
test: setup
	@$(BUILD) --build-tests
	@for tests in '--skip \.(Slow|Alone)/' '--filter \.Slow/' '--filter \.Alone/'; do \
	  set -- $$tests; \
	  if [ "$$(id -u)" -eq 0 ] || ! unshare -Urnm true 2>/dev/null; \
	    then NETPOL_LAB_REALTIME=off swift test --skip-build "$$1" "$$2"; \
	    else NETPOL_LAB_REALTIME=off unshare -Urnm swift test --skip-build "$$1" "$$2"; fi || exit 1; \
	done

# Send packets for every cell of the verdict tables: make conformance [CASES=DIR] [STYLES=a,b]
conformance: setup
	@$(BUILD) --build-tests
	@NETPOL_CONFORMANCE=all $(if $(CASES),NETPOL_CASES=$(CASES)) $(if $(STYLES),NETPOL_STYLES=$(STYLES)) \
	  sh -c 'time swift test --skip-build --filter Conformance'

# What takes long: 10,000 random clusters with packets and proofs, 2,500 for each style, 500 of them with the kernel's traces; ten million random packets in each
# of ten clusters, compared with their classes; 200 certificates and 200 that were tampered with; 5,000 clusters judged by
# class and flow by flow; the smallest changes in 1,000 clusters; 500 mutants; and a million hostile texts: make soak [SEED=N]
soak: setup
	@$(BUILD) -c release --product netpol-lab -debug-info-format none
	@seed=$(or $(SEED),1); for style in kube-router-2.6-k3s kube-router-2.11 kube-router-2.11-nft compiled; do \
	  .build/release/netpol-lab fuzz --style $$style --seed $$seed --cases 2500 --flows 60 --prove || exit 1; \
	  .build/release/netpol-lab fuzz --style $$style --seed $$seed --cases 500 --flows 60 --traces 8 || exit 1; \
	  seed=$$((seed + 2500)); \
	done
	@.build/release/netpol-lab fuzz --no-kernel --style kube-router-2.6-k3s --seed $(or $(SEED),1) --cases 10 --flows 20 \
	  --class-packets 10000000
	@for seed in 1 2 3 4 5; do \
	  .build/release/netpol-lab fuzz --mutants 100 --seed $$seed --cases 60 --flows 150 || exit 1; \
	done
	@netns-scripts/setup.sh --all
	@Tests/Checker/examples.sh .build/release/netpol-lab 200 200 $(or $(SEED),1)
	@.build/release/netpol-lab fuzz --input --seed $(or $(SEED),1) --cases 1000000
	@$(BUILD) --build-tests
	@NETPOL_FLOWS=100000 NETPOL_WORLDS=10 swift test --skip-build --filter ManyTraceTests
	@NETPOL_SEED=$(or $(SEED),1) NETPOL_WORLDS=5000 swift test --skip-build --filter FlowSurveySoakTests
	@NETPOL_SEED=$(or $(SEED),1) NETPOL_WORLDS=1000 swift test --skip-build --filter SmallestChangeTests
	@NETPOL_SEED=$(or $(SEED),1) NETPOL_FLOWS=20 swift test --skip-build --filter NothingCheaperTests

# Prove the examples, and let a checker that shares no code with the program check the certificates, also tampered ones.
# And a tenth of what make soak proves.
check-certificate:
	@netns-scripts/setup.sh --all
	@$(BUILD) -c release --product netpol-lab -debug-info-format none
	@Tests/Checker/examples.sh .build/release/netpol-lab
	@seed=1; for style in kube-router-2.6-k3s kube-router-2.11 kube-router-2.11-nft compiled; do \
	  .build/release/netpol-lab fuzz --no-kernel --style $$style --seed $$seed --cases 250 --flows 60 --prove || exit 1; \
	  seed=$$((seed + 250)); \
	done
	@.build/release/netpol-lab fuzz --no-kernel --style kube-router-2.6-k3s --seed 1 --cases 10 --flows 20 \
	  --class-packets 1000000

# Real clients against a served API: kubectl, Python's, and plain sockets.
clients:
	@netns-scripts/setup.sh --all
	@$(BUILD) -c release --product netpol-lab -debug-info-format none
	@Tests/Clients/run.sh .build/release/netpol-lab

build: setup
	@$(BUILD)

format:
	@swift format -i -r Sources Tests Package.swift

lint:
	@swift format lint --strict -r Sources Tests Package.swift

setup:
	@netns-scripts/setup.sh

clean:
	rm -rf .build
