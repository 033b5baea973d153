package pipeline_test

import (
	"net/netip"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Login is one attempt to log in.
type Login struct {
	ID      string    `spill:"id,id"`
	Account string    `spill:"account,key"`
	At      time.Time `spill:"at,time"`
	Address string    `spill:"ip"`
	Device  string    `spill:"device"` // null for one that is unknown
	Result  string    `spill:"result"` // ok, password, second_factor, locked
}

// Risk is what decides whether a login needs a second look.
type Risk struct {
	Account  string     `spill:"account,key"`
	Failures int64      `spill:"failures_10m"`
	Networks int64      `spill:"networks_1h"`
	Strange  int64      `spill:"unknown_devices_1d"`
	Success  *float64   `spill:"success_1d"`
	LastGood *time.Time `spill:"last_good_30d"`
}

// network is the neighbourhood of an address: its /24, or /48 for IPv6. An address that is none is a network of its own.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return address
	}
	return p.String()
}

// Logins answers at every attempt, before it is let through.
var Logins = pipeline.Define("account_logins", func(d *pipeline.Draft) {
	var l Login
	logins := pipeline.From(d, "logins", &l, pipeline.OutOfOrder(2*time.Second))

	result := expr.Col(&l.Result)
	ok := result.Eq("ok")
	failed := result.In("password", "second_factor")
	from := expr.Call("network/v1", network, expr.Col(&l.Address))
	unknown := expr.Or(expr.IsNull(expr.Col(&l.Device)), expr.Col(&l.Device).Eq(""))

	var r Risk
	pipeline.Aggregate(logins, &r, pipeline.EveryEvent(),
		pipeline.Feature(&r.Failures, agg.Count().Where(failed), window.Last(10*time.Minute)),
		pipeline.Feature(&r.Networks, agg.Distinct(from), window.Last(time.Hour)),
		pipeline.Feature(&r.Strange, agg.Count().Where(unknown), window.Last(window.Day)),
		pipeline.Feature(&r.Success, agg.Share(ok).Where(result.Ne("locked")), window.Last(window.Day)),
		pipeline.Feature(&r.LastGood, agg.Max(expr.Col(&l.At)).Where(ok), window.Last(30*window.Day).Tile(window.Day)),
	)
})

func Example_logins() {
	explain(Logins)
	// Output:
	// pipeline account_logins   plan bbd3bf9c2c5a
	//
	// reads     logins (Login), keyed by account, at time at, named by id
	// watermark newest event − 2s
	// late      admitted up to 10m behind the watermark, then dead-lettered; ids remembered as long
	// ahead     more than 10m past its Kafka timestamp is invalid
	// asks      at every event, once: its answer is final
	//
	// Risk, one row for each account and ask:
	//   feature             type           placement  meaning
	//   failures_10m        int            live       count where result = "password" or result = "second_factor", last 10m
	//   networks_1h         int            live       distinct of network/v1(ip), last 1h
	//   unknown_devices_1d  int            live       count where is_null(device) or device = "", last 1d
	//   success_1d          float or null  live       share of (result = "ok") where result <> "locked", last 1d
	//   last_good_30d       time or null   live       max of at where result = "ok", last 30d by tiles of 1d
}
