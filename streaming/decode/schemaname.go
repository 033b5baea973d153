package decode

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// SchemaHeader is the header in which a record in Confluent framing may name the schema of its value, so that the value
// is the bare Avro record. Builder.AddNamed takes it.
const SchemaHeader = "__value_schema_id"

// Both the value's beginning and the header name a schema by a byte that says how, and by what follows.
const (
	idMark   = 0 // four bytes, big-endian: an id, which is the registry's own
	guidMark = 1 // 16 bytes, in the header only: a GUID, which every registry gives the same schema
	idLen    = 1 + 4
	guidLen  = 1 + 16
)

// schemaName names a schema in one of the two ways.
type schemaName struct {
	byGUID bool
	id     uint32
	guid   [guidLen - 1]byte
}

// nameSchema finds the schema's name and where in the value the Avro record begins. ok is false where there is no name.
func nameSchema(header, value []byte) (name schemaName, record int, ok bool) {
	switch {
	case header == nil && len(value) >= idLen && value[0] == idMark:
		return schemaName{id: binary.BigEndian.Uint32(value[1:])}, idLen, true
	case len(header) == idLen && header[0] == idMark:
		return schemaName{id: binary.BigEndian.Uint32(header[1:])}, 0, true
	case len(header) == guidLen && header[0] == guidMark:
		return schemaName{byGUID: true, guid: [guidLen - 1]byte(header[1:])}, 0, true
	}
	return name, 0, false
}

// String is the name as registries and flaws write it.
func (n schemaName) String() string {
	if !n.byGUID {
		return strconv.FormatUint(uint64(n.id), 10)
	}
	text := make([]byte, 0, 36)
	for i, part := range [...][]byte{n.guid[:4], n.guid[4:6], n.guid[6:8], n.guid[8:10], n.guid[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return string(text)
}
