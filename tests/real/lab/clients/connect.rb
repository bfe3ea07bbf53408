# connect.rb URL: a verified request with net/http's defaults.
require "net/http"

begin
  uri = URI(ARGV[0])
  Net::HTTP.start(uri.host, uri.port, use_ssl: true, open_timeout: 20) { |http| http.head("/") }
  puts "ok"
rescue OpenSSL::SSL::SSLError, SystemCallError, SocketError, Timeout::Error => e
  abort e.message
end
