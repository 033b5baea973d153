package load

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
)

// progressEvery is how many records are read between two calls of Progress.
const progressEvery = 4096

// Run sends the files to the topic and returns when the broker has acknowledged all records. Mistakes in the
// configuration, files that are missing or of an unknown kind, and columns that are absent are found before anything is
// sent. Later errors (a record without the timestamp that every record needs, a broker that fails, the end of ctx) come
// with the Result of what was sent before.
func Run(ctx context.Context, c Config) (Result, error) {
	if err := c.complete(); err != nil {
		return Result{}, err
	}
	total, err := sizes(&c)
	if err != nil {
		return Result{}, err
	}
	start := c.Clock.Now()
	var maxBatch atomic.Int32 // known once the topic is, which needs the client
	maxBatch.Store(usualMax)
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, c.Client...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchMaxBytesFn(func(string) int32 { return maxBatch.Load() }),
		kgo.MaxBufferedRecords(bufferedRecords),
		kgo.MaxBufferedBytes(bufferedBytes),
		kgo.UnknownTopicRetries(10), // a topic that was just created takes a moment to be known everywhere
	)...)
	if err != nil {
		return Result{}, fault.Wrap(err, "Kafka client", "cannot be made as it is configured", "see its options")
	}
	defer client.Close()
	if err := reach(ctx, client, &c); err != nil {
		return Result{}, err
	}
	t, err := prepareTopic(ctx, client, &c)
	if err != nil {
		return Result{}, err
	}
	maxBatch.Store(t.maxBatch)

	l := &loader{
		config: &c,
		sender: newSender(ctx, client, c.Topic, t.partitions),
		router: newRouter(&c, t),
		pacer:  newPacer(c.Clock, c.Rate),
		result: Result{Topic: c.Topic, Created: t.created},
		total:  total,
	}
	err = l.run()
	l.result.Wall = c.Clock.Now().Sub(start)
	return l.result, err
}

// loader is one load under way.
type loader struct {
	config *Config
	sender *sender
	router *router
	pacer  *pacer
	result Result

	records, bytes int64 // handed to the client
	done, total    int64 // bytes of the files before the one in hand, and of all
}

func (l *loader) run() error {
	stop := l.sender.watch(l.config.Clock, l.config.Patience)
	defer stop()
	defer l.sender.cancel(nil)
	var err error
	for _, path := range l.config.Files {
		if err = l.file(path); err != nil {
			break
		}
	}
	// What was read before a faulty record is as good as ever, and is sent.
	if broken := l.sender.finish(l.config.Clock); broken != nil {
		err = broken
	}
	for i := range l.sender.partitions {
		n := l.sender.partitions[i].Load()
		l.result.Partitions = append(l.result.Partitions, n)
		l.result.Records += n
	}
	l.result.Bytes = l.sender.bytes.Load()
	return err
}

func (l *loader) file(path string) error {
	src, err := open(path, l.router.names, l.config.Schema)
	if err != nil {
		return err
	}
	defer src.close()
	var rec record
	for n := 1; ; n++ {
		if err := src.next(&rec); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		waited, err := l.pacer.take(l.sender.ctx)
		if err != nil {
			return err
		}
		if err := l.record(path, src, &rec); err != nil {
			return err
		}
		if waited || n%progressEvery == 0 {
			l.progress(path, src.consumed())
		}
	}
	// The slab in hand names its records' file.
	l.sender.give()
	l.progress(path, src.consumed())
	l.done += src.consumed()
	return nil
}

func (l *loader) record(path string, src source, rec *record) error {
	to, err := l.router.route(rec)
	if err != nil {
		return err.At(fault.Pos{File: path, Line: int(rec.line)})
	}
	if rec.malformed {
		if l.result.Malformed++; l.result.Malformed == 1 {
			l.result.FirstMalformed = fmt.Sprintf("%s:%d: %s", path, rec.line, src.flaw())
		}
	}
	if to.key == nil {
		l.result.NullKeys++
	}
	l.records++
	l.bytes += int64(len(to.key) + len(rec.value))
	return l.sender.send(path, rec, to)
}

func (l *loader) progress(path string, consumed int64) {
	if l.config.Progress != nil {
		l.config.Progress(Progress{
			File: path, Records: l.records, Bytes: l.bytes, Read: l.done + consumed, Total: l.total,
		})
	}
}
