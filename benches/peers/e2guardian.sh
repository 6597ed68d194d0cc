# Debian's own configuration, with the list, on one port, without its logs. It cannot take 5000 tunnels: 500 workers are
# the most that its documentation advises, and a tunnel holds one.
cp -r /etc/e2guardian @DIR@/e2
mkdir -p @DIR@/log
sed -i -e 's|/etc/e2guardian|@DIR@/e2|g' @DIR@/e2/*.conf @DIR@/e2/*.story
sed -i -e '/^filterports\|^filterip\|^checkip\|^nodaemon\|^nologger\|^loglevel\|^httpworkers\|^transparenthttpsport/d' @DIR@/e2/e2guardian.conf
cat >>@DIR@/e2/e2guardian.conf <<'CONF'
filterip = 127.0.0.1
filterports = @PORT@
checkip = 127.0.0.1
nodaemon = on
nologger = on
loglevel = 0
httpworkers = 500
pidfilename = '@DIR@/pid'
loglocation = '@DIR@/log/access.log'
maxlogitemlength = 0
daemonuser = 'root'
daemongroup = 'root'
CONF
cp @LISTS@/list.txt @DIR@/e2/lists/bannedsitelist
