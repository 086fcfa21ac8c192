// libxml2's streaming reader, and nothing else of it.
#include <libxml/parser.h>
#include <libxml/xmlreader.h>
