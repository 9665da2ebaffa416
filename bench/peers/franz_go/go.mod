// SPDX-License-Identifier: BSD-2-Clause

// The newest franz-go that Debian 12's Go (1.19) builds. go.newest.mod is for Go 1.26 and later.
module kloop/bench/peers/franz_go

go 1.19

require github.com/twmb/franz-go v1.16.1

require (
	github.com/klauspost/compress v1.17.4 // indirect
	github.com/pierrec/lz4/v4 v4.1.19 // indirect
	github.com/twmb/franz-go/pkg/kmsg v1.7.0 // indirect
)
