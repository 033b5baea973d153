package serve

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// keyPath begins the paths of single keys: the rest is the pipeline, a slash, and the key, escaped as URLs do.
const keyPath = "/v1/features/"

// keyAsk is a request for all features of one key.
type keyAsk struct {
	view *view
	key  []byte
	now  int64
}

func (s *Server) parseKeyAsk(r *http.Request) (keyAsk, error) {
	var ask keyAsk
	name, escaped, ok := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), keyPath), "/")
	if !ok || strings.Contains(escaped, "/") {
		return ask, &problem{http.StatusNotFound, "", "the path is not " + keyPath + "PIPELINE/KEY with the key escaped"}
	}
	if ask.view = s.views[name]; ask.view == nil {
		return ask, &problem{http.StatusNotFound, "", "there is no pipeline " + strconv.Quote(name)}
	}
	key, err := url.PathUnescape(escaped)
	if err != nil || !utf8.ValidString(key) {
		return ask, mistake("the key %q is not UTF-8, escaped as URLs do", escaped)
	}
	ask.key, ask.now = []byte(key), s.now()
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return ask, mistake("the query is not escaped as URLs do: %v", err)
	}
	for member, values := range query {
		if member != "as_of" || len(values) != 1 {
			return ask, mistake("the query has %q: it may only have as_of, once", member)
		}
		if ask.now, err = parseAsOf(values[0]); err != nil {
			return ask, mistake("%v", err)
		}
	}
	return ask, nil
}

// appendKey renders a key's features and where they come from.
func appendKey(b []byte, ask *keyAsk, a *online.Answer) []byte {
	plan := ask.view.Plan()
	b = schema.AppendJSONText(append(b, `{"pipeline":`...), plan.Name)
	b = schema.AppendJSONText(append(b, `,"plan":`...), plan.Hash())
	b = schema.AppendJSONText(append(b, `,"key":`...), ask.key)
	b = schema.AppendJSONTime(append(b, `,"as_of":`...), ask.now)
	b = append(b, `,"features":{`...)
	for f := range plan.Features {
		b = append(b, ask.view.plain[f][min(f, 1)^1:]...) // the first has no comma before it
		b = a.Column(f).AppendJSON(append(b, `:{"value":`...), 0)
		b = append(b, `,"status":"`...)
		b = append(b, a.Status(f, 0).String()...)
		b = append(b, `","layer":"`...)
		if plan.Features[f].Historical {
			b = append(b, `historical"}`...)
		} else {
			b = append(b, `live"}`...)
		}
	}
	b = append(b, '}')
	if len(a.Origins) > 0 {
		b = appendOrigin(append(b, `,"live":`...), &a.Origins[0])
	}
	if a.HasRun {
		b = appendRun(append(b, `,"historical":`...), &a.Run)
	}
	return append(b, '}')
}

func appendOrigin(b []byte, o *online.Origin) []byte {
	if o.Seen {
		b = appendFrontier(append(b, `{"seen":true,`...), &o.Frontier)
		b = schema.AppendJSONTime(append(b, `,"newest_event":`...), o.Newest)
		return append(b, '}')
	}
	b = append(b, `{"seen":false,"partitions":[`...)
	for i := range o.Frontiers {
		b = appendFrontier(append(separate(b, i), '{'), &o.Frontiers[i])
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

func appendFrontier(b []byte, f *online.Frontier) []byte {
	b = strconv.AppendInt(append(b, `"partition":`...), int64(f.Partition), 10)
	b = strconv.AppendInt(append(b, `,"next_offset":`...), f.Next, 10)
	b = append(b, `,"watermark":`...)
	if f.Watermark == online.NoTime {
		return append(b, "null"...)
	}
	return schema.AppendJSONTime(b, f.Watermark)
}

// appendRun writes the snapshot as text: its ids are beyond the whole numbers that JavaScript has.
func appendRun(b []byte, r *online.Run) []byte {
	b = schema.AppendJSONText(append(b, `{"run":`...), r.ID)
	b = schema.AppendJSONTime(append(b, `,"as_of":`...), r.AsOf)
	b = schema.AppendJSONTime(append(b, `,"published":`...), r.Published)
	b = strconv.AppendInt(append(b, `,"snapshot":"`...), r.Snapshot, 10)
	return append(b, `"}`...)
}
