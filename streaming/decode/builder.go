package decode

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// The limits of one batch. They keep every offset of a text within the 32 bits that Arrow gives it.
const (
	MaxRows  = 1 << 20 // records
	MaxBytes = 1 << 30 // bytes of values, together
)

const (
	firstRoom = 1024     // rows that a builder makes room for at first
	hugeText  = 16 << 20 // bytes above which a buffer that is hardly used is not kept
	maxFlaw   = 512      // bytes of the text in _fault
	maxSymbol = 512      // bytes of an enum's symbol that a text column takes
)

// ErrFull says that a batch holds all it can: take it, reset the builder and add the record again.
var ErrFull = errors.New("decode: the batch is full")

// Builder decodes records into columns of its own and shows them as Arrow batches without copying. It is used again
// after Reset, and in the steady state allocates nothing for a record. It is not safe for concurrent use.
type Builder struct {
	arrow     *arrow.Schema
	decoder   decoder
	columns   []column // the source's, in the order of its schema
	partition []int32
	offset    []int64
	stamp     []int64 // µs
	fault     column
	raw       column
	rows      int
	room      int // rows that every buffer has room for
	volume    int // bytes of the values since the last Reset
}

// NewBuilder makes a builder for the source of that schema. It returns the faults of the format against the schema: a
// column that the writer's type cannot fill, for instance.
func NewBuilder(s *schema.Schema, f Format) (*Builder, error) {
	d, err := f.decoder(s)
	if err != nil {
		return nil, err
	}
	b := &Builder{
		arrow:   s.Log(),
		decoder: d,
		fault:   newColumn(schema.Field{Name: schema.FaultColumn, Kind: schema.Text}),
		raw:     newColumn(schema.Field{Name: schema.RawColumn, Kind: schema.Text}),
	}
	b.raw.typ = arrow.BinaryTypes.Binary
	for _, f := range s.Fields {
		b.columns = append(b.columns, newColumn(f))
	}
	return b, nil
}

// Schema is that of the batches: the source's columns, then those of schema.Log.
func (b *Builder) Schema() *arrow.Schema { return b.arrow }

// Len is the number of records since the last Reset.
func (b *Builder) Len() int { return b.rows }

// Add decodes one record; stampMicros is its Kafka timestamp in microseconds since 1970-01-01T00:00Z, and a nil value is
// an absent one. The value's bytes are not kept. A record that cannot be decoded is a row as well, with the reason in
// _fault, the value in _raw and every column of the source null; Add then returns nil.
//
// An error means that no row was added and that the same record has to be added again: after a Reset if it is ErrFull,
// and else after a while, because what the format needs to know could not be had (a schema registry that is down).
// Such an error says nothing about the record, which therefore must not be dead-lettered. Only a registry is ever waited
// for, and ctx ends the wait. (A value of 2 GiB or more is an error too; Kafka cannot carry one.)
func (b *Builder) Add(ctx context.Context, partition int32, offset, stampMicros int64, value []byte) error {
	return b.AddNamed(ctx, partition, offset, stampMicros, nil, value)
}

// AddNamed is Add for a record with the header SchemaHeader, whose value is given beside the record's; nil is none. Only
// the format Confluent heeds it.
func (b *Builder) AddNamed(ctx context.Context, partition int32, offset, stampMicros int64, header, value []byte) error {
	if b.rows == MaxRows || b.rows > 0 && len(value) > MaxBytes-b.volume {
		return ErrFull
	}
	if len(value) > math.MaxInt32 {
		return fault.New(fmt.Sprintf("record at partition %d, offset %d", partition, offset),
			fmt.Sprintf("its value of %d bytes is longer than Kafka's own limit", len(value)), "")
	}
	if b.rows == b.room {
		b.grow()
	}
	row := b.rows
	var flaw []byte
	if value == nil {
		flaw = absent
	} else {
		var err error
		if flaw, err = b.decoder.decode(ctx, b.columns, row, header, value); err != nil {
			return err
		}
	}
	if len(flaw) == 0 {
		b.fault.null(row)
		b.raw.null(row)
	} else {
		b.reject(row, flaw, value)
	}
	b.partition[row], b.offset[row], b.stamp[row] = partition, offset, stampMicros
	b.rows++
	b.volume += len(value)
	return nil
}

var absent = []byte("the value is absent")

func (b *Builder) reject(row int, flaw, value []byte) {
	for i := range b.columns {
		b.columns[i].wipe(row)
	}
	b.fault.setText(row, cut(flaw, maxFlaw))
	if value == nil {
		b.raw.null(row)
	} else {
		b.raw.setText(row, value)
	}
}

func (b *Builder) grow() {
	b.room = max(firstRoom, 2*b.room)
	for i := range b.columns {
		b.columns[i].grow(b.room)
	}
	b.fault.grow(b.room)
	b.raw.grow(b.room)
	b.partition = extend(b.partition, b.room)
	b.offset = extend(b.offset, b.room)
	b.stamp = extend(b.stamp, b.room)
}

// Batch is the records since the last Reset, in the layout of schema.Log. It shows the builder's own memory: Retain and
// Release do not keep it, and it must not be read after the next Reset. Records added meanwhile do not change it. Who
// keeps a batch for longer uses Take.
func (b *Builder) Batch() arrow.RecordBatch {
	arrays := make([]arrow.Array, 0, len(b.columns)+5)
	for i := range b.columns {
		arrays = append(arrays, b.columns[i].array(b.rows))
	}
	arrays = append(arrays,
		makeArray(arrow.PrimitiveTypes.Int32, b.rows, 0, nil, int32Buffer(b.partition[:b.rows])),
		makeArray(arrow.PrimitiveTypes.Int64, b.rows, 0, nil, int64Buffer(b.offset[:b.rows])),
		makeArray(schema.TimestampType, b.rows, 0, nil, int64Buffer(b.stamp[:b.rows])),
		b.fault.array(b.rows),
		b.raw.array(b.rows))
	batch := array.NewRecordBatch(b.arrow, arrays, int64(b.rows))
	for _, a := range arrays {
		a.Release()
	}
	return batch
}

// Take is Batch, given away: the batch is the caller's for as long as it likes, and the builder, empty again, begins
// with new memory.
func (b *Builder) Take() arrow.RecordBatch {
	batch := b.Batch()
	for i := range b.columns {
		b.columns[i].drop()
	}
	b.fault.drop()
	b.raw.drop()
	b.partition, b.offset, b.stamp = nil, nil, nil
	b.rows, b.room, b.volume = 0, 0, 0
	return batch
}

// Reset empties the builder and keeps its memory. Batches that it has shown are void from here on.
func (b *Builder) Reset() {
	for i := range b.columns {
		b.columns[i].reset()
	}
	b.fault.reset()
	b.raw.reset()
	b.rows, b.volume = 0, 0
}
