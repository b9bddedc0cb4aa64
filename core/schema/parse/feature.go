package parse

import "moult/core/schema"

// feature is something that not every server has.
type feature string

// The features that a definition may ask for. Each is written as it stands in
// a sentence.
const (
	uuidType        feature = "the data type uuid"
	inet4Type       feature = "the data type inet4"
	inet6Type       feature = "the data type inet6"
	xmlType         feature = "the data type xmltype"
	vectorType      feature = "the data type vector"
	spatialTypes    feature = "spatial data types"
	expressionIndex feature = "indexes over expressions"
	vectorIndex     feature = "vector indexes"
	unenforced      feature = "checks that are not enforced"
	versioning      feature = "system versioning"
	periods         feature = "periods"
	overlaps        feature = "WITHOUT OVERLAPS"
	compressed      feature = "compressed columns"
	sequences       feature = "sequences"
	autoRandom      feature = "AUTO_RANDOM"
	storedPrograms  feature = "triggers, routines and events"
	clusteredIndex  feature = "a choice between clustered and other primary keys"
	globalIndex     feature = "global indexes"
	intervals       feature = "partitions by interval"
	bareReference   feature = "foreign keys without the columns they refer to"
)

// features says which server has what, from which version on (release notes and
// manuals of the versions). A vendor that is absent does not have it at all.
// What is missing here would be lost in silence or change its meaning.
var features = map[feature]map[schema.Vendor][]int{
	uuidType:        {schema.MariaDB: {10, 7}},
	inet4Type:       {schema.MariaDB: {10, 10}},
	inet6Type:       {schema.MariaDB: {10, 5}},
	xmlType:         {schema.MariaDB: {12, 3}},
	vectorType:      {schema.MariaDB: {11, 7}, schema.MySQL: {9, 0}, schema.TiDB: {8, 4}},
	spatialTypes:    {schema.MariaDB: {}, schema.MySQL: {}},
	expressionIndex: {schema.MySQL: {8, 0, 13}, schema.TiDB: {5, 0}},
	vectorIndex:     {schema.MariaDB: {11, 7}, schema.TiDB: {8, 4}},
	unenforced:      {schema.MySQL: {8, 0, 16}, schema.TiDB: {7, 2}},
	versioning:      {schema.MariaDB: {10, 3}},
	periods:         {schema.MariaDB: {10, 4}},
	overlaps:        {schema.MariaDB: {10, 5}},
	compressed:      {schema.MariaDB: {10, 3}},
	sequences:       {schema.MariaDB: {10, 3}, schema.TiDB: {4, 0}},
	autoRandom:      {schema.TiDB: {4, 0}},
	storedPrograms:  {schema.MariaDB: {}, schema.MySQL: {}},
	clusteredIndex:  {schema.TiDB: {5, 0}},
	globalIndex:     {schema.TiDB: {7, 6}},
	intervals:       {schema.TiDB: {6, 3}},
	bareReference:   {schema.MariaDB: {}},
}

// needs stops the statement at the token of that index when the server does not
// have the feature.
func (c *cursor) needs(f feature, at int) {
	since, ok := features[f][c.fl.Vendor]
	if !ok || !c.fl.AtLeast(since...) {
		c.failAt(at, "%s does not have %s", c.fl, f)
	}
}

// typeFeatures are the types that not every server has.
var typeFeatures = map[string]feature{
	"uuid": uuidType, "inet4": inet4Type, "inet6": inet6Type, "xmltype": xmlType, "vector": vectorType,
	"geometry": spatialTypes, "point": spatialTypes, "linestring": spatialTypes, "polygon": spatialTypes, "multipoint": spatialTypes,
	"multilinestring": spatialTypes, "multipolygon": spatialTypes, "geometrycollection": spatialTypes,
}
