import AsyncHTTPClient
import NIOHTTP1
import NIOWebSocket
import NIOSSL
import X509
import Logging
import WeirCore
