// SPDX-License-Identifier: MIT
//
// weft's objects in C++: a unique_ptr frees each, and a lambda receives. Two links in memory are
// driven by hand, in virtual time.
#include <weft/link.h>

#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

class Link {
public:
	using Receiver = std::function<void(const std::string &bytes)>;

	static Link open(const std::string &spec)
	{
		weft_error err{};
		weft_link *link;
		if (weft_link_open(spec.c_str(), &err, &link) < 0)
			throw std::runtime_error(err.text);
		return Link(link);
	}

	static std::pair<Link, Link> pair(unsigned queue_len)
	{
		weft_link *a, *b;
		if (weft_link_pair(queue_len, &a, &b) < 0)
			throw std::bad_alloc();
		return {Link(a), Link(b)};
	}

	// What receiver is kept in must not move, for the link knows its address.
	void on_receive(Receiver fn)
	{
		receiver = std::make_unique<Receiver>(std::move(fn));
		weft_link_on_receive(link.get(), deliver, receiver.get());
	}

	void send(std::string bytes, std::uint64_t now)
	{
		std::vector<std::uint8_t> data(bytes.begin(), bytes.end());
		weft_frame frame{};
		frame.data = data.data();
		frame.len = static_cast<std::uint32_t>(data.size());
		weft_link_send(link.get(), &frame, 1, now);
	}

	void run(std::uint64_t now)
	{
		weft_task *task = weft_link_task(link.get());
		task->run(task, now);
	}

private:
	explicit Link(weft_link *owned) : link(owned, weft_link_free) {}

	// An exception must not pass through C; this receiver throws none.
	static void deliver(void *user, weft_link *, const weft_frame *frames, std::size_t n,
			    std::uint64_t) noexcept
	{
		for (std::size_t i = 0; i < n; i++)
			(*static_cast<Receiver *>(user))(
				std::string(frames[i].data, frames[i].data + frames[i].len));
	}

	std::unique_ptr<Receiver> receiver;
	std::unique_ptr<weft_link, decltype(&weft_link_free)> link;
};

int main()
{
	std::string got;
	auto [near, far] = Link::pair(16);
	far.on_receive([&got](const std::string &bytes) { got += bytes; });
	near.send("a frame of more than 14 bytes", 1);
	far.run(2);
	std::cout << got << "\n";
	try {
		Link::open("nonsense:");
		return 1;
	} catch (const std::runtime_error &error) {
		std::cout << error.what() << "\n";
	}
	return got != "a frame of more than 14 bytes";
}
