//go:build integration

package integration

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/integration/real"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/streaming"
)

// group is what is seen of a stream's processes from outside: what they commit, and who reads which partition.
type group struct {
	broker *real.Kafka
	plan   *pipeline.Plan
	admin  *kadm.Client
}

// follow looks at the plan's stream until the test ends.
func follow(t *testing.T, broker *real.Kafka, plan *pipeline.Plan) *group {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &group{broker: broker, plan: plan, admin: kadm.NewClient(client)}
}

// committed is how many offsets the group has committed.
func (g *group) committed(t *testing.T) (n int64) {
	t.Helper()
	offsets, err := g.admin.FetchOffsets(t.Context(), streaming.Group(g.plan))
	if kerr.IsRetriable(err) {
		return 0 // The group is so new that the broker has nobody to ask.
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range offsets[g.plan.Source.Name] {
		n += max(0, o.At)
	}
	return n
}

// advance waits until more than so much is committed.
func (g *group) advance(t *testing.T, beyond int64) {
	t.Helper()
	g.until(t, "something is committed", func() bool { return g.committed(t) > beyond })
}

// until waits for a minute until it is so.
func (g *group) until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !so(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// shares are how many partitions each member of the group has, if all of the source's are given to somebody.
func (g *group) shares(t *testing.T, partitions int) (shares []int, whole bool) {
	t.Helper()
	groups, err := g.admin.DescribeGroups(t.Context(), streaming.Group(g.plan))
	if err != nil {
		return nil, false // It is balancing, or its coordinator is not there yet.
	}
	given := 0
	for _, m := range groups[streaming.Group(g.plan)].Members {
		n := 0
		if assigned, ok := m.Assigned.AsConsumer(); ok {
			for _, topic := range assigned.Topics {
				n += len(topic.Partitions)
			}
		}
		shares = append(shares, n)
		given += n
	}
	return shares, given == partitions && groups[streaming.Group(g.plan)].State == "Stable"
}

// written is how many rows stand in the features topic, committed or not.
func (g *group) written(t *testing.T) int {
	t.Helper()
	topic := streaming.FeaturesTopic(g.plan.Name)
	ends, err := g.admin.ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(g.broker.Addr()), kgo.ConsumeTopics(topic), kgo.KeepControlRecords(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	left := map[int32]bool{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = true
		}
	})
	rows := 0
	for len(left) > 0 {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				rows++
			}
			if end, _ := ends.Lookup(topic, r.Partition); r.Offset+1 >= end.Offset {
				delete(left, r.Partition)
			}
		})
	}
	return rows
}
