# Stand-in for the official caddy image: the file capability is as there, because it decides under which security
# options the program can start at all.
FROM hairpin-test/bookworm
COPY usr/bin/caddy /usr/bin/caddy
COPY bin/busybox /bin/busybox
RUN ln -s /bin/busybox /usr/bin/wget \
 && setcap cap_net_bind_service=+ep /usr/bin/caddy \
 && mkdir -p /config/caddy /data/caddy /etc/caddy /usr/share/caddy
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
EXPOSE 80 443 443/udp 2019
WORKDIR /srv
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
