package externalgrpc

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of the fields that differ between the versions of cluster-autoscaler
// (cloudprovider/externalgrpc/protos/externalgrpc.proto in its release branches and on its main branch). The generated types are
// those of 1.33; what came later travels as fields that they do not know.
//
//	                             1.25-1.28  1.29-1.32  1.33  1.34        from 1.35
//	a template's node            1          1          1     1 and 2     2 (bytes)
//	scale-down times             3, 4       3, 4       3, 4  3, 4, 8, 9  8, 9
//	provision time               -          5          5     5, 10       10
//	zero or max, DaemonSets      -          -          6, 7  6, 7        6, 7
//	begin, end of a node's price 2, 3       2, 3       2, 3  2-5         4, 5
//	pod of a pod's price         1          1          1     1, 4        4 (bytes)
//	begin, end of a pod's price  2, 3       2, 3       2, 3  2, 3, 5, 6  5, 6
//
// The old times are k8s.io.apimachinery.pkg.apis.meta.v1.Duration and Time, the new ones google.protobuf.Duration and Timestamp.
const (
	fieldNodeBytes protowire.Number = 2

	fieldUnneededDuration  protowire.Number = 8
	fieldUnreadyDuration   protowire.Number = 9
	fieldProvisionDuration protowire.Number = 10

	fieldNodePriceStart protowire.Number = 4
	fieldNodePriceEnd   protowire.Number = 5
	fieldPodBytes       protowire.Number = 4
	fieldPodPriceStart  protowire.Number = 5
	fieldPodPriceEnd    protowire.Number = 6

	// Both google.protobuf.Duration and Timestamp.
	fieldSeconds protowire.Number = 1
	fieldNanos   protowire.Number = 2
)

// field is one field of a message whose type does not know it.
type field struct {
	number protowire.Number
	kind   protowire.Type
	// whole is tag and value as they are on the wire, value the value alone; for bytes, without their length.
	whole, value []byte
}

// fields splits what a message's type does not know. What is malformed ends the reading; gRPC has checked the message before.
func fields(unknown []byte) []field {
	var found []field
	for len(unknown) > 0 {
		number, kind, tag := protowire.ConsumeTag(unknown)
		if tag < 0 {
			return found
		}
		size := protowire.ConsumeFieldValue(number, kind, unknown[tag:])
		if size < 0 {
			return found
		}
		f := field{number: number, kind: kind, whole: unknown[:tag+size], value: unknown[tag : tag+size]}
		if kind == protowire.BytesType {
			f.value, _ = protowire.ConsumeBytes(f.value)
		}
		found = append(found, f)
		unknown = unknown[tag+size:]
	}
	return found
}

// bytesOf returns the last value of a bytes field, as protobuf wants it, and whether it is there.
func bytesOf(unknown []byte, number protowire.Number) (value []byte, ok bool) {
	for _, f := range fields(unknown) {
		if f.number == number && f.kind == protowire.BytesType {
			value, ok = f.value, true
		}
	}
	return value, ok
}

// secondsAndNanos reads a google.protobuf.Duration or Timestamp.
func secondsAndNanos(message []byte) (seconds, nanos int64) {
	for _, f := range fields(message) {
		if f.kind != protowire.VarintType {
			continue
		}
		value, _ := protowire.ConsumeVarint(f.value)
		if f.number == fieldSeconds {
			seconds = int64(value) //nolint:gosec // two's complement
		} else if f.number == fieldNanos {
			nanos = int64(value) //nolint:gosec // two's complement
		}
	}
	return seconds, nanos
}

// durationOf returns a field that is a google.protobuf.Duration, and whether it is there.
func durationOf(unknown []byte, number protowire.Number) (time.Duration, bool) {
	message, ok := bytesOf(unknown, number)
	seconds, nanos := secondsAndNanos(message)
	return time.Duration(seconds)*time.Second + time.Duration(nanos), ok
}

// timeOf returns a field that is a google.protobuf.Timestamp, and whether it is there.
func timeOf(unknown []byte, number protowire.Number) (time.Time, bool) {
	message, ok := bytesOf(unknown, number)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(secondsAndNanos(message)), true
}

// appendDuration appends a google.protobuf.Duration.
func appendDuration(b []byte, number protowire.Number, d time.Duration) []byte {
	var message []byte
	message = protowire.AppendTag(message, fieldSeconds, protowire.VarintType)
	message = protowire.AppendVarint(message, uint64(d/time.Second)) //nolint:gosec // two's complement
	message = protowire.AppendTag(message, fieldNanos, protowire.VarintType)
	message = protowire.AppendVarint(message, uint64(d%time.Second)) //nolint:gosec // two's complement
	return appendBytes(b, number, message)
}

func appendBytes(b []byte, number protowire.Number, value []byte) []byte {
	b = protowire.AppendTag(b, number, protowire.BytesType)
	return protowire.AppendBytes(b, value)
}
