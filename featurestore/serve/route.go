package serve

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The media type of everything that is served; the slice is shared by all responses.
var jsonType = []string{"application/json"}

// ServeHTTP implements http.Handler. Paths are matched as they were sent: keys may hold anything once unescaped.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.EscapedPath(); {
	case path == "/get-online-features":
		s.serveFeatures(w, r)
	case strings.HasPrefix(path, keyPath):
		s.serveKey(w, r)
	case path == "/health", path == "/healthz":
		if allow(w, r, http.MethodGet, http.MethodHead) {
			reply(w, http.StatusOK, []byte(`{"status":"alive"}`))
		}
	case path == "/readyz":
		s.serveReady(w, r)
	default:
		s.refuse(w, r, (*problem).plain, &problem{http.StatusNotFound, "", "there is nothing at " + path})
	}
}

func (s *Server) serveFeatures(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) {
		return
	}
	x := s.exchanges.Get().(*exchange)
	defer s.exchanges.Put(x)
	err := s.readBody(x, r)
	if err == nil {
		if err = x.request.read(x.body); err != nil {
			err = mistake("%v", err)
		}
	}
	if err == nil {
		err = s.resolve(x)
	}
	if err == nil {
		err = s.answer(r.Context(), x)
	}
	if err != nil {
		s.refuse(w, r, (*problem).feast, err)
		return
	}
	reply(w, http.StatusOK, x.out)
}

// readBody reads the request's body, up to the bound.
func (s *Server) readBody(x *exchange, r *http.Request) error {
	most := s.config.MaxBody
	if r.ContentLength > int64(most) {
		return tooLarge(most)
	}
	x.body = x.body[:0]
	for {
		if len(x.body) == cap(x.body) {
			x.body = append(x.body, 0)[:len(x.body)]
		}
		n, err := r.Body.Read(x.body[len(x.body):min(cap(x.body), most+1)])
		x.body = x.body[:len(x.body)+n]
		switch {
		case len(x.body) > most:
			return tooLarge(most)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return &problem{http.StatusBadRequest, feastError, "the body cannot be read"}
		}
	}
}

func tooLarge(most int) error {
	return &problem{http.StatusRequestEntityTooLarge, feastError, "the body has more than " + strconv.Itoa(most) +
		" bytes: ask for fewer keys at once"}
}

func (s *Server) serveKey(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	x := s.exchanges.Get().(*exchange)
	defer s.exchanges.Put(x)
	ask, err := s.parseKeyAsk(r)
	if err != nil {
		s.refuse(w, r, (*problem).plain, err)
		return
	}
	if err := ask.view.Get(r.Context(), [][]byte{ask.key}, nil, ask.now, &x.key); err != nil {
		s.refuse(w, r, (*problem).plain, asProblem(err))
		return
	}
	x.out = appendKey(x.out[:0], &ask, &x.key)
	reply(w, http.StatusOK, x.out)
}

func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	var err error
	if s.config.Ready != nil {
		err = s.config.Ready()
	}
	if s.stopping.Load() {
		err = errors.New("stopping")
	}
	if err != nil {
		reply(w, http.StatusServiceUnavailable, (&problem{message: err.Error()}).plain())
		return
	}
	reply(w, http.StatusOK, []byte(`{"status":"ready"}`))
}

// refuse answers with an error. What went wrong here is logged, and the client is not told what.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, body func(*problem) []byte, err error) {
	var p *problem
	if !errors.As(err, &p) {
		if r.Context().Err() != nil {
			return // The client has gone.
		}
		s.config.Logger.Error("serving features", "path", r.URL.Path, "error", err)
		p = &problem{http.StatusInternalServerError, feastError, "the features could not be read; the server's log says why"}
	}
	reply(w, p.status, body(p))
}

// allow answers requests of other methods with an error.
func allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	for _, m := range methods {
		if r.Method == m {
			return true
		}
	}
	w.Header()["Allow"] = []string{strings.Join(methods, ", ")}
	reply(w, http.StatusMethodNotAllowed, (&problem{message: "use " + strings.Join(methods, " or ")}).plain())
	return false
}

// reply sends the body. An error of it is the client's going away.
func reply(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	w.Write(body)
}
